/* All ways from one sample of the running frame to the next.  A raised exception is sampled where it is made, so
 * none is among them. */
#include "ways.h"

#include "bytecode.h"

#define MOST 96 /* instructions on all ways */

typedef struct {
    int start;   /* as targets name it */
    int ends;    /* a way ends here */
    int reaches; /* and from here one gets there */
    int place;   /* where its number stands in the list of places */
    instruction_t is;
} node_t;

static node_t nodes[MOST];
static int count;

#define PLACES 1024 /* more than MOST, so that there is always an empty one */
static int16_t places[PLACES]; /* 1 + number of the node, by where it starts; 0 empty */

/* Where the number of that node stands, or is to stand. */
static int16_t *place_of(int start)
{
    unsigned at = (unsigned)start & (PLACES - 1);
    while (places[at] != 0 && nodes[places[at] - 1].start != start) {
        at = (at + 1) & (PLACES - 1);
    }
    return &places[at];
}

static int number_of(int start) { return *place_of(start) - 1; }

static void no_nodes(void)
{
    for (int i = 0; i < count; i++) {
        places[nodes[i].place] = 0;
    }
    count = 0;
}

/* `place`: of that start, which is empty. */
static int add_node(const stretch_t *stretch, int start, int16_t *place)
{
    node_t *node = &nodes[count];
    if (count == MOST || !code_instruction(stretch->code, start, &node->is)) {
        return 0;
    }
    int leaves = node->is.plain == RETURN_VALUE || node->is.plain == YIELD_VALUE;
    node->start = start;
    node->ends = stretch->to == EXIT ? leaves : start <= stretch->to && stretch->to <= node->is.at;
    node->reaches = node->ends;
    if (node->ends && !stretch->again) {
        node->is.n = 0;
    }
    node->place = (int)(place - places);
    *place = (int16_t)++count;
    return 1;
}

static int add_behind(const stretch_t *stretch, const instruction_t *is)
{
    for (int t = 0; t < is->n; t++) {
        int start = is->targets[t];
        int skipped = start == stretch->from && stretch->from != stretch->to && !stretch->again;
        int16_t *place = place_of(start);
        if (!skipped && *place == 0 && !add_node(stretch, start, place)) {
            return 0;
        }
    }
    return 1;
}

static int mark_reaching(void)
{
    int found = 0;
    for (int more = 1; more;) {
        more = 0;
        for (int i = count; i-- > 0;) {
            for (int t = 0; t < nodes[i].is.n && !nodes[i].reaches; t++) {
                int target = number_of(nodes[i].is.targets[t]);
                more |= nodes[i].reaches = target >= 0 && nodes[target].reaches;
            }
            found |= nodes[i].ends;
        }
    }
    return found;
}

static int find_ways(const stretch_t *stretch, instruction_t *first)
{
    *first = (instruction_t){.targets = {0}, .n = 1};
    no_nodes();
    if (stretch->from != ENTRY
        && (code_prefixed(stretch->code, stretch->from) || !code_instruction(stretch->code, stretch->from, first))) {
        return 0;
    }
    if (!add_behind(stretch, first)) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (!add_behind(stretch, &nodes[i].is)) {
            return 0;
        }
    }
    return mark_reaching();
}

static uint8_t met[MOST];

/* Whether a way leads on to `to`, or to an end where that is -1, and not through `without`. */
static int leads(const instruction_t *is, int to, int without)
{
    for (int t = 0; t < is->n; t++) {
        int i = number_of(is->targets[t]);
        if (i < 0 || i == without || !nodes[i].reaches || met[i]) {
            continue;
        }
        met[i] = 1;
        if (to < 0 ? nodes[i].ends : i == to) {
            return 1;
        }
        if (leads(&nodes[i].is, to, without)) {
            return 1;
        }
    }
    return 0;
}

static int way_exists(const instruction_t *is, int to, int without)
{
    memset(met, 0, (size_t)count);
    return leads(is, to, without);
}

static int before_other[TAKERS_MOST];

/* Where what the last call of takers_on() has found stands. */
static int found_at[MOST + 1];

int takers_on_one_line(const PyCodeObject *code, const takers_t *found)
{
    for (int i = 1; i < found->surely + found->others; i++) {
        if (code_line(code, found_at[i]) != code_line(code, found_at[i - 1])) {
            return 0;
        }
    }
    return 1;
}

static void note_other(takers_t *found, int at)
{
    found_at[found->surely + found->others++] = at;
    found->other = at;
    found->place = 0;
}

int takers_on(const stretch_t *stretch, enum type_kind kind, int length, takers_t *found)
{
    instruction_t first;
    int other = -1, within = stretch->from == stretch->to;
    *found = (takers_t){.surely = 0};
    int ways = find_ways(stretch, &first);
    if (stretch->from != ENTRY && (ways || within)) {
        effect_t does = effect_of(&first, kind, length);
        /* Where a sample finds a list, tuple or slice being made, that one is from no free list; where
         * it finds a dictionary being made, it made room for the keys and takes the dictionary next. */
        if (does.takes == TAKES_ONE ? kind == KIND_DICT : does.takes != TAKES_NONE) {
            note_other(found, first.at);
        }
        found->calls = does.calls;
        found->resumes = does.resumes;
    }
    if (!ways) {
        return found->others > 0;
    }
    /* In the order in which they were found: what all ways pass stands before what lies behind it. */
    for (int i = 0; i < count; i++) {
        const instruction_t *is = &nodes[i].is;
        int sampled = nodes[i].ends && stretch->to != EXIT;
        if (!nodes[i].reaches || ((sampled || is->at == first.at) && (within || is->at == first.at))) {
            continue;
        }
        effect_t does = effect_of(is, kind, length);
        found->calls |= does.calls;
        found->resumes |= does.resumes;
        if (does.takes == TAKES_NONE || (sampled && does.takes == TAKES_ONE)) {
            continue;
        }
        if (does.takes == TAKES_ONE && found->surely < TAKERS_MOST && !way_exists(&first, -1, i) && !way_exists(is, i, -1)) {
            found_at[found->surely + found->others] = is->at;
            before_other[found->surely] = i;
            found->once[found->surely++] = is->at;
        } else {
            note_other(found, is->at);
            other = i;
        }
    }
    for (int i = 0; i < found->surely && other >= 0; i++) {
        found->place += way_exists(&nodes[before_other[i]].is, other, -1);
    }
    return 1;
}
