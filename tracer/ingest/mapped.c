/* The spool is read where it is mapped.  Where its file has been cut short meanwhile, or its disk
 * fails, a read raises SIGBUS: it then finds zeros, and the reader is told. */
#define _GNU_SOURCE
#include "ingest.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static _Thread_local uintptr_t from, to; /* whole pages */
static _Thread_local int lost;
static struct sigaction before_us;

/* Another fault happens again where who had the signal before sees it; what was sent is sent again. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    int kept = errno, fault = info->si_code > 0 && info->si_code != BUS_MCEERR_AO;
    uintptr_t at = (uintptr_t)info->si_addr;
    if (fault && at >= from && at < to
        && mmap((void *)from, to - from, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
        lost = 1;
    } else {
        sigaction(number, &before_us, NULL);
        if (!fault) {
            raise(number);
        }
    }
    errno = kept;
}

/* From here on to mapped_end() this thread reads these bytes.  Not by two threads at a time. */
void mapped_begin(const uint8_t *base, size_t n)
{
    static int installed;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    from = (uintptr_t)base & ~(page - 1);
    to = ((uintptr_t)base + n + page - 1) & ~(page - 1);
    lost = 0;
    if (!installed) {
        struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&ours.sa_mask);
        installed = sigaction(SIGBUS, &ours, &before_us) == 0;
    }
}

/* Whether all that was read was there. */
int mapped_end(void)
{
    from = to = 0;
    return !lost;
}
