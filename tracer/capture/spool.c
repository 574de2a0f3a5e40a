/* The spool: a file mapped in chunks, each secured on disk before its first
 * write (a sparse mapping on a full file system would kill the program). */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16 << 20)
#define CHUNK_SMALL ((size_t)256 << 10)

uint8_t *spool_at;
uint8_t *spool_limit;
uint8_t *spool_base;
struct spool_header *spool_head;

static int spool_fd = -1;
static char *spool_path;
static dev_t spool_device;
static ino_t spool_inode;
static size_t spool_reserved; /* address room behind spool_base */
static size_t spool_mapped;   /* bytes of it backed by the file */
static size_t spool_released; /* bytes given back to the kernel */
static uint64_t spool_max;

static int is_spool(int fd)
{
    struct stat now;
    return fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == spool_device && now.st_ino == spool_inode;
}

/* A high number, so that the program's own files get the numbers they would have had. */
static int moved_high(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 200);
    if (high >= 0) {
        close(fd);
        return high;
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

static int secure(off_t from, size_t length)
{
    int rc;
    do {
        rc = posix_fallocate(spool_fd, from, (off_t)length);
    } while (rc == EINTR);
    return rc;
}

static int map_more(size_t length)
{
    if (spool_mapped + length > spool_reserved) {
        return ENOMEM;
    }
    if (!still_open()) {
        return EBADF;
    }
    int rc = secure((off_t)(SPOOL_HEADER + spool_mapped), length);
    if (rc != 0) {
        return rc;
    }
    void *at = mmap(spool_base + spool_mapped, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, spool_fd,
                    (off_t)(SPOOL_HEADER + spool_mapped));
    if (at == MAP_FAILED) {
        return errno;
    }
    spool_mapped += length;
    spool_limit = spool_base + spool_mapped;
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
    spool_reserved = (size_t)limit + CHUNK;
    spool_base = mmap(NULL, spool_reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (spool_base == MAP_FAILED) {
        *why = "no address space for the spool";
        return -1;
    }
    spool_at = spool_base;
    size_t first = limit < CHUNK ? ((size_t)limit + SPOOL_HEADER - 1) & ~(size_t)(SPOOL_HEADER - 1) : CHUNK;
    if (map_more(first) != 0 && map_more(CHUNK_SMALL) != 0) {
        *why = "no disk space for the spool";
        return -1;
    }
    return 0;
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
    while ((size_t)(spool_limit - spool_at) < need) {
        int rc = map_more(CHUNK);
        if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG) {
            rc = map_more(CHUNK_SMALL);
        }
        if (rc != 0) {
            capture_stop(SPOOL_NO_SPACE, rc == EBADF ? "the program closed the spool's file and it cannot be opened again"
                                                     : "no disk space was left for the spool");
            return 0;
        }
    }
    /* What lies two chunks back is written and never touched again. */
    size_t done = (size_t)(spool_at - spool_base) & ~(CHUNK - 1);
    if (done > spool_released + CHUNK) {
        size_t length = done - CHUNK - spool_released;
        mmap(spool_base + spool_released, length, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        spool_released += length;
    }
    return 1;
}

void spool_detach(void)
{
    if (is_spool(spool_fd)) {
        close(spool_fd);
    }
    spool_fd = -1;
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
