/* From the address of a block to what is known of it: two levels of tables,
 * then leaves of one MiB of address space each, all reserved lazily. */
#include "capture.h"

#define LEVEL_BITS 14
#define LEVEL_SIZE (1u << LEVEL_BITS)

near_leaf_t map_near[NEAR]; /* key 0 is the page of NULL, where no block lies */

static entry_t **root[LEVEL_SIZE];

entry_t *map_leaf(uintptr_t key, int create)
{
    if (key >> (2 * LEVEL_BITS)) {
        return NULL; /* beyond 48 bits of address: not on this platform */
    }
    entry_t **level = root[key >> LEVEL_BITS];
    if (level == NULL) {
        if (!create || (level = reserve_memory(LEVEL_SIZE * sizeof(*level))) == NULL) {
            return NULL;
        }
        root[key >> LEVEL_BITS] = level;
    }
    entry_t *leaf = level[key & (LEVEL_SIZE - 1)];
    if (leaf == NULL) {
        if (!create || (leaf = reserve_memory(LEAF_ENTRIES * sizeof(*leaf))) == NULL) {
            return NULL;
        }
        level[key & (LEVEL_SIZE - 1)] = leaf;
    }
    map_near[key & (NEAR - 1)] = (near_leaf_t){key, leaf};
    return leaf;
}
