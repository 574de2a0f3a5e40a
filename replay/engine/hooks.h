/* What another module may do at the events of a replay. The engine itself does nothing there; the sweep,
   which compiles these headers once more, defines the hooks before it includes them. */
#ifndef GCREPLAY_HOOKS_H
#define GCREPLAY_HOOKS_H

#ifndef HOOKED
#define ON_BIRTH(h, slot, shape)
#define ON_DEATH(h, slot, shape, bytes)
#define ON_TOUCH(h, slot)
#define ON_LINK(h, source, target, label)
#define ON_UNLINK(h, source, target, shown)
#define ON_TRACK(h, slot, generation)
#define ON_UNTRACK(h, slot)
#define ON_WATCH(h, target, callback)
#define ON_TICK(h)
#define ON_SETTLE(h)
#define ON_DUE(h) floats(h)
#endif

#endif
