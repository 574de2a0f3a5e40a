/* The process that is recorded: what it forks is left alone, and what happens to the spool's file
 * does not kill it. */
#include "capture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/* ---- forked children ------------------------------------------------------------ */

here_t here __attribute__((aligned(PROCESS_PAGE)));

/* A forked child is not recorded: the spool belongs to its parent.  It looks as it would. */
static void leave(void)
{
    cap.active = cap.measuring = 0;
    here.recorded = NOT_RECORDED;
    cap.in_probe = 0;
    gcwatch_unlink();
    spool_abandon();
    process_unguard();
}

void process_made(void) { __atomic_add_fetch(&spool_head->children, 1, __ATOMIC_RELAXED); }

/* fork() itself is counted, whoever calls it: what runs no such handlers is counted in spawn.c. */
static void forked(void)
{
    if (cap.active && !spawn_asked()) {
        process_made();
    }
}

/* A process made by clone() alone runs no handlers of fork(), but this page is empty in it. */
static int keep_apart(void)
{
    if (madvise(&here, sizeof(here), MADV_WIPEONFORK) != 0) {
        return 0;
    }
    here.ours = 1;
    here.recorded = NOT_RECORDED;
    return pthread_atfork(NULL, forked, leave) == 0;
}

void process_left(void)
{
    if (!here.ours) {
        leave();
    } else {
        capture_stop(SPOOL_FAILED, "the program made a second interpreter, which cannot be recorded");
    }
}

int capture_elsewhere(void)
{
    if (cap.active) {
        process_left();
    }
    return 0;
}

/* ---- bus errors ------------------------------------------------------------------ */

static struct sigaction before_us;

/* A write into a file that has been cut short, or whose disk fails, raises SIGBUS.  What is not ours
 * goes to who had the signal before: a fault by happening again, another one by being sent again. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    int kept = errno, fault = info->si_code > 0 && info->si_code != BUS_MCEERR_AO;
    /* faulthandler tells of a fault and then hands the signal on, without the address. */
    int handed_on = info->si_code == SI_TKILL && info->si_pid == getpid();
    if (!(fault || handed_on) || !spool_lost(fault ? info->si_addr : NULL)) {
        sigaction(number, &before_us, NULL);
        if (!fault) {
            raise(number);
        }
    }
    errno = kept;
}

static void guard(void)
{
    struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    /* What the program starts would inherit that a signal is ignored, but no handler. */
    if (sigaction(SIGBUS, NULL, &before_us) == 0 && before_us.sa_handler != SIG_IGN) {
        sigaction(SIGBUS, &ours, NULL);
    }
}

/* A handler that came later may know ours as the one to hand on to: then ours stays. */
void process_unguard(void)
{
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus_error) {
        sigaction(SIGBUS, &before_us, NULL);
    }
}

int process_watch(const char **why)
{
    *why = "this kernel cannot tell a forked child from its parent (MADV_WIPEONFORK, from Linux 4.14 on)";
    if (!keep_apart()) {
        return 0;
    }
    guard();
    return 1;
}
