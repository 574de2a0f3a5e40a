/* A library that is loaded into the recorded program before anything else (LD_PRELOAD), and into
 * whatever stands between, as the shell of a wrapper script.  It does nothing where no interpreter
 * is that the capture is made for.  There it lets the capture in while the interpreter makes its
 * first module: nothing on a path, no module and no variable of the program is needed for that.
 * Nothing here may be taken from the interpreter but what is asked for weakly. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct module_made {
    const char *name;
    void *(*make)(void);
};

extern struct module_made *PyImport_Inittab __attribute__((weak));
extern const unsigned long Py_Version __attribute__((weak));

#define FIRST "_imp" /* made when the allocators are chosen and before any Python code runs */

static struct module_made *whole, *ours; /* the interpreter's table, and a copy with our function */
static void *(*make_first)(void);

static void let_in(void)
{
    const char *capture = getenv("GCREPLAY_CAPTURE");
    if (getenv("GCREPLAY_ASK") != NULL) {
        setenv("GCREPLAY_ASK", "preloaded", 1);
    } else if (capture != NULL) {
        void *library = dlopen(capture, RTLD_NOW | RTLD_LOCAL); /* stays */
        void (*arm)(void) = library != NULL ? (void (*)(void))dlsym(library, "gcreplay_arm") : NULL;
        if (arm != NULL) {
            arm();
        }
    }
}

static void *make_first_and_let_in(void)
{
    for (struct module_made *m = PyImport_Inittab; m->name != NULL; m++) {
        if (m->make == make_first_and_let_in) {
            m->make = make_first; /* in our copy, or one that was made of it */
        }
    }
    if (PyImport_Inittab == ours) {
        PyImport_Inittab = whole;
    }
    let_in();
    return make_first();
}

__attribute__((constructor)) static void preloaded(void)
{
    size_t n = 0;
    if (&PyImport_Inittab == NULL || &Py_Version == NULL || Py_Version >> 16 != 0x030B) {
        return;
    }
    while (PyImport_Inittab[n].name != NULL) {
        n++;
    }
    whole = PyImport_Inittab;
    ours = malloc((n + 1) * sizeof(*ours));
    if (ours == NULL) {
        return;
    }
    memcpy(ours, whole, (n + 1) * sizeof(*ours));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ours[i].name, FIRST) == 0 && ours[i].make != NULL) {
            make_first = ours[i].make;
            ours[i].make = make_first_and_let_in;
            PyImport_Inittab = ours;
            return;
        }
    }
}
