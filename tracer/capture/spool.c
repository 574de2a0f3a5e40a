/* The spool: a file of which one window is mapped, the part that is being written.  Its
 * disk space is secured before the first write (a sparse mapping on a full file system
 * would kill the program), and no more address space is taken than the window, for the
 * program may have a limit of that. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16 << 20)
#define CHUNK_SMALL ((size_t)256 << 10)
#define PAGE ((size_t)4096)

uint8_t *spool_at;
uint8_t *spool_limit;
uint8_t *spool_base;
struct spool_header *spool_head;

static int spool_fd = -1;
static char *spool_path;
static dev_t spool_device;
static ino_t spool_inode;
static uint8_t *window;
static size_t window_size;
static uint64_t spool_secured; /* bytes of the stream that have disk space */
static uint64_t spool_max;

static int is_spool(int fd)
{
    struct stat now;
    return fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == spool_device && now.st_ino == spool_inode;
}

/* A high number, so that the program's own files get the numbers they would have had. */
static int moved_high(int fd)
{
    for (int least = 200; fd >= 0 && least > fd; least /= 2) { /* there may be fewer than 200 */
        int high = fcntl(fd, F_DUPFD_CLOEXEC, least);
        if (high >= 0) {
            close(fd);
            return high;
        }
    }
    return fd;
}

/* Programs close files they do not know, and the number may be another file's by now. */
static int still_open(void)
{
    if (is_spool(spool_fd)) {
        return 1;
    }
    spool_fd = moved_high(open(spool_path, O_RDWR | O_CLOEXEC));
    if (!is_spool(spool_fd)) {
        if (spool_fd >= 0) {
            close(spool_fd);
        }
        spool_fd = -1;
    }
    return spool_fd >= 0;
}

static int secure(uint64_t end)
{
    struct rlimit most;
    int rc;
    if (end <= spool_secured) {
        return 0;
    }
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY && SPOOL_HEADER + end > most.rlim_cur) {
        return EFBIG; /* asking the kernel would send the program a signal */
    }
    do {
        rc = posix_fallocate(spool_fd, (off_t)(SPOOL_HEADER + spool_secured), (off_t)(end - spool_secured));
    } while (rc == EINTR);
    if (rc == 0) {
        spool_secured = end;
    }
    return rc;
}

/* Moves the window to where the next byte goes, with room for that many bytes. */
static int move_window(size_t room)
{
    uint64_t place = (uint64_t)(spool_at - spool_base), from = place & ~(uint64_t)(PAGE - 1);
    size_t length = ((size_t)(place - from) + room + PAGE - 1) & ~(PAGE - 1);
    if (!still_open()) {
        return EBADF;
    }
    int rc = secure(from + length);
    if (rc != 0) {
        return rc;
    }
    uint8_t *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, spool_fd, (off_t)(SPOOL_HEADER + from));
    if (at == MAP_FAILED) {
        return errno;
    }
    release_memory(window, window_size);
    window = at;
    window_size = length;
    spool_at = at + (place - from);
    spool_base = spool_at - place;
    spool_limit = at + length;
    return 0;
}

int spool_open(const char *path, uint64_t limit, const char **why)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        *why = "the spool file cannot be opened";
        return -1;
    }
    struct stat opened;
    spool_fd = fd = moved_high(fd);
    spool_path = strdup(path);
    if (spool_path == NULL || fstat(fd, &opened) != 0) {
        *why = "the spool file cannot be read";
        return -1;
    }
    spool_device = opened.st_dev;
    spool_inode = opened.st_ino;
    spool_max = limit;
    spool_head = mmap(NULL, SPOOL_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (spool_head == MAP_FAILED || memcmp(spool_head->magic, SPOOL_MAGIC, 8) != 0
        || spool_head->format != SPOOL_FORMAT || spool_head->status != SPOOL_CREATED) {
        *why = "the spool file is not one this capture can write";
        return -1;
    }
    if (move_window(limit < CHUNK ? (size_t)limit : CHUNK) != 0 && move_window(CHUNK_SMALL) != 0) {
        *why = "no disk space for the spool";
        return -1;
    }
    return 0;
}

static void stop_because(int rc)
{
    if (rc == EBADF) {
        capture_stop(SPOOL_NO_SPACE, "the program closed the spool's file and it cannot be opened again");
    } else if (rc == EFBIG) {
        capture_stop(SPOOL_NO_SPACE, "the spool reached the limit of a file's size (RLIMIT_FSIZE)");
    } else if (rc == ENOMEM || rc == EAGAIN) {
        capture_stop(SPOOL_FAILED, "no memory was left to map the spool");
    } else {
        capture_stop(SPOOL_NO_SPACE, "no disk space was left for the spool");
    }
}

int spool_grow(size_t need)
{
    if (!cap.active && !cap.measuring) {
        return 0;
    }
    if ((uint64_t)(spool_at - spool_base) + need > spool_max) {
        capture_stop(SPOOL_LIMIT, "the size limit of the spool was reached");
        return 0;
    }
    int rc = move_window(need + CHUNK);
    if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG) {
        rc = move_window(need + CHUNK_SMALL);
    }
    if (rc != 0) {
        stop_because(rc);
    }
    return rc == 0;
}

static int cut_short(uint64_t end)
{
    struct stat now;
    return fstat(spool_fd, &now) != 0 || (uint64_t)now.st_size < end;
}

static void map_nothing(void *at, size_t length)
{
    mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static int within(const void *address, const void *from, size_t length)
{
    return (uintptr_t)address - (uintptr_t)from < length;
}

/* The header, whole again, tells the reader why there is no more. */
static int head_restored(void)
{
    static const union {
        struct spool_header head;
        char whole[SPOOL_HEADER];
    } fresh = {.head = {.magic = SPOOL_MAGIC, .format = SPOOL_FORMAT, .status = SPOOL_RUNNING}};
    return still_open()
           && (!cut_short(SPOOL_HEADER) || pwrite(spool_fd, &fresh, SPOOL_HEADER, 0) == (ssize_t)SPOOL_HEADER);
}

/* `address`: of the fault, if known.  Runs in a signal handler, in the midst of a hook's write, which
 * then goes on into memory that belongs to no file. */
int spool_lost(const void *address)
{
    if (window == NULL || !(cap.active || cap.measuring)) {
        return 0;
    }
    uint64_t end = SPOOL_HEADER + (uint64_t)(window - spool_base) + window_size;
    int ours = within(address, spool_head, SPOOL_HEADER) || within(address, window, window_size);
    if (!ours && !(address == NULL && still_open() && cut_short(end))) {
        return 0;
    }
    map_nothing(window, window_size);
    if (!head_restored()) {
        map_nothing(spool_head, SPOOL_HEADER);
    }
    capture_stop(SPOOL_FAILED, "the spool's file was cut short, or its disk failed");
    return 1;
}

/* What is not committed yet is half a record, or rests on one: it and what the hook under way
 * still writes go nowhere. */
void spool_detach(void)
{
    static uint8_t nowhere[PAGE];
    static struct spool_header nobody;
    if (is_spool(spool_fd)) {
        close(spool_fd);
    }
    spool_fd = -1;
    spool_at = spool_limit = spool_base = nowhere;
    spool_head = &nobody;
}

void spool_abandon(void)
{
    struct spool_header *head = spool_head;
    spool_detach();
    release_memory(window, window_size);
    if (head != NULL && head != spool_head) {
        release_memory(head, SPOOL_HEADER);
    }
    window = NULL;
    window_size = 0;
}

void put_bytes(const void *data, size_t n)
{
    memcpy(spool_at, data, n);
    spool_at += n;
}

int put_text(const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);
    if (!spool_room(n + RECORD_ROOM)) {
        return 0;
    }
    put_byte(0);
    put_number(n);
    put_bytes(text, n);
    return 1;
}

int put_unicode(PyObject *text)
{
    if (text == NULL || !PyUnicode_Check(text) || !PyUnicode_IS_READY(text)) {
        return put_text("");
    }
    size_t n = (size_t)PyUnicode_GET_LENGTH(text);
    unsigned kind = (unsigned)PyUnicode_KIND(text);
    if (!spool_room(n * kind + RECORD_ROOM)) {
        return 0;
    }
    put_byte(kind);
    put_number(n);
    put_bytes(PyUnicode_DATA(text), n * kind);
    return 1;
}
