/* The raw spool: what the capture writes inside the recorded program and the
 * ingest reads outside it.  One page of header, then one stream of records.
 *
 * A record is one tag byte followed by operands.  Numbers are LEB128 varints
 * unless the table says otherwise; "z" marks a zigzag-coded signed number.
 * Objects are named by `age` = (next object number) - (object number), so that
 * young objects cost one byte.  Object numbers start at 1 and are given by the
 * records ALLOC, BIRTH, LATE and FOUND, in the order of the stream. */
#ifndef GCREPLAY_FORMAT_H
#define GCREPLAY_FORMAT_H

#include <stdint.h>

#define SPOOL_MAGIC "gcrspool"
#define SPOOL_FORMAT 3u
#define SPOOL_HEADER 4096u

enum spool_status {
    SPOOL_CREATED = 0,  /* by the parent; the capture never attached */
    SPOOL_RUNNING = 1,
    SPOOL_ENDED = 2,    /* interpreter shutdown reached */
    SPOOL_NO_SPACE = 3, /* the file system is full */
    SPOOL_LIMIT = 4,    /* the size limit of the spool was reached */
    SPOOL_REFUSED = 5,  /* a check at the start failed; see message */
    SPOOL_FAILED = 6    /* memory for the capture's own tables, or object numbers, ran out */
};

struct spool_header {
    char magic[8];
    uint32_t format;
    uint32_t status;
    uint64_t committed; /* bytes of the stream that are complete records */
    uint64_t consumed;  /* bytes the ingest has taken and released */
    uint32_t pid;
    uint32_t children;  /* processes that the program has made, as far as is seen */
    char message[256];
    uint64_t own_cpu_ns; /* CPU time of the program to its end, without probes and collections */
    uint64_t cpu_ns;     /* CPU time of the process by then, all in all */
    uint64_t peak_kib;   /* of a measured run: the most memory that the process had; 0 where nobody knows */
}; /* From byte 512 on stand facts of the recording, as spool.py packs them: the capture reads none. */

enum record_tag {
    R_ALLOC = 1,    /* type, size/8, site : counted malloc of a GC object */
    R_BIRTH = 2,    /* type, size/8, site : taken from a free list, not counted */
    R_LATE = 3,     /* type, size/8 : a GC object older than the recording, first met now */
    R_FREE = 4,     /* age : the block was released */
    R_KEPT = 6,     /* age : the dead object's storage went to a free list */
    R_FREE_UNKNOWN = 7, /* : a GC block never met before was released */
    R_SETTYPE = 8,  /* age, type : of an object whose type was not set when it was met */
    R_RESIZED = 9,  /* age, size/8 : its block changed its size */
    R_TYPE = 10,    /* flags, string module, string name : next type number */
    R_CODE = 11,    /* first line, string file, string name, bytes line table : next code number */
    R_SITE = 12,    /* code, instruction byte offset, 1 when it is only near : next site number */
    R_STATE = 13,   /* see capture_write_state() */
    R_FOUND = 14,   /* type, size/8, generation (0-2, 3 permanent, 4 untracked) : before the start */
    R_FOUND_END = 15, /* : the found heap is complete */
    R_START = 16,   /* generation, cause, nanoseconds, c0 at the trigger : a collection begins */
    R_PROBE = 17,   /* generation up to which lists are walked, + PROBE_CHANGES, + PROBE_MERGED; then entries; 0 ends */
    R_STOP = 18,    /* collected, uncollectable, long_lived_total, long_lived_pending, nanoseconds, c0, collections seen */
    R_CALL = 19,    /* call, via, count of arguments, z arguments */
    R_MARK = 20,    /* string */
    R_TICK = 21,    /* nanoseconds of program time, also before each mark and the end; inside a collection: its
                       garbage is deleted by now */
    R_END = 22,     /* */
    R_BEGIN = 23,   /* cause : a collection is about to begin; its "start" callbacks run first */
    R_GARBAGE = 25, /* count, then z differences of object numbers: what the collection under way has found,
                       before it runs any code */
    R_OWNER = 26,   /* whose finalizer or callback runs from here on: OWNER_OVER none any more, OWNER_NOBODY
                       another thread, else age + OWNER_OBJECT */
    R_HIT = 27,     /* age, age, count : a weak reference was asked and gave the second object, which had
                       so many references */
    R_MISS = 28,    /* age : a weak reference was asked whose target is dead; once for each */
    R_SAVED = 29,   /* count, then z differences: what of that garbage can be reached when all code has run;
                       behind the last R_OWNER, and only where something can */
    R_BARRED = 30,  /* : an exception is set while the object of the next R_ALLOC is born, so it begins no collection */
    R_CALLER = 31,  /* site : where the program calls the gc module; the R_CALL or R_START that follows says what */
    R_LABEL = 32,   /* string : next label number, from 1; the text of a name or a title */
    R_READ = 33,    /* reason, then readings; 0 ends: see below */
    R_MEASURED = 24 /* of a measured run: generation, called, nanoseconds since the start, nanoseconds,
                       candidates + 1, tracked + 1 (0: not counted), collected, uncollectable, collections seen */
};

enum { OWNER_OVER = 0, OWNER_NOBODY = 1, OWNER_OBJECT = 1 };

/* Probe entries: varint v; v = 0 ends the probe, else v-1 = zigzag(object - previous object) << 3 | bits.
 * With PE_COUNT a varint reference count follows, with PE_LINKS what it alone owns beside its block
 * (in 16 bytes), the number of links and each target as zigzag(target - object).  PE_CHILD: met as a child, not as a member of the list.
 * PE_LIST, all bits, with difference 0: the next members are of the generation that follows. */
/* With PROBE_CHANGES members of generations 1 and 2 that have not changed are left out. */
#define PROBE_CHANGES 8u
/* With PROBE_MERGED the collector has put all into the last of these lists, though no collection is told. */
#define PROBE_MERGED 16u

#define PE_COUNT 1u
#define PE_LINKS 2u
#define PE_CHILD 4u
#define PE_ESCAPE 4u /* PE_CHILD alone: an ordinary record follows */
#define PE_WEAK 6u   /* a weak reference: zigzag(target - object), has callback */
#define PE_LIST 7u
#define PE_BITS 3
#define OWNED_UNIT 16u

/* Readings: what an object held at that moment, in the order of its tp_traverse: varint zigzag(object - previous
 * object) + 1, title (label number, 0 = none), count, then for each link zigzag(target - object) and its name,
 * n << 2 | kind.  A name is label n (0 = none), index n of a list or tuple, or only its position among all
 * children, those without a number among them. Between R_READ and its end stands nothing else. */
#define READ_FRAME 0 /* in place of an object: a frame that runs, which is a root */
enum read_reason { READ_GARBAGE = 0, READ_MARK = 1, READ_END = 2, READ_PROBE = 3 };
enum { NAME_LABEL = 0, NAME_INDEX = 1, NAME_POSITION = 2, NAME_BITS = 2 };

/* Strings: varint kind (1, 2, 4 bytes a character, 0 = UTF-8 bytes), varint characters, data. */

enum start_cause { CAUSE_THRESHOLD = 0, CAUSE_PYTHON = 1, CAUSE_C = 2 };

enum gc_call { CALL_COLLECT = 0, CALL_ENABLE, CALL_DISABLE, CALL_FREEZE, CALL_UNFREEZE, CALL_SET_THRESHOLD, CALL_SET_DEBUG };

/* Flags of R_TYPE; the low four bits are the kind. */
enum type_kind {
    KIND_OTHER = 0, KIND_LIST, KIND_DICT, KIND_TUPLE, KIND_SLICE, KIND_CONTEXT, KIND_ASEND, KIND_AVALUE,
    KIND_WEAKREF, KIND_TYPE
};
#define TYPE_KIND_MASK 15u
#define TYPE_FINALIZER 16u
#define TYPE_LEGACY 32u
#define TYPE_OWN_BLOCKS 64u /* it has another tp_free than all */

#endif
