/* Open addressing with linear probing and backward-shift deletion; memory
 * straight from the kernel, so that the program's allocator sees nothing. */
#include "capture.h"

#include <sys/mman.h>

void *reserve_memory(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void release_memory(void *at, size_t bytes)
{
    if (at != NULL) {
        munmap(at, bytes);
    }
}

/* Twice the room, or some.  0 when there is none. */
int reserve_more(void **at, size_t *room, size_t item)
{
    size_t bigger = *room == 0 ? 65536 : 2 * *room;
    void *to = reserve_memory(bigger * item);
    if (to == NULL) {
        return 0;
    }
    if (*room != 0) {
        memcpy(to, *at, *room * item);
        release_memory(*at, *room * item);
    }
    *at = to;
    *room = bigger;
    return 1;
}

static inline size_t home(const table_t *t, uint64_t key)
{
    return (size_t)((key * 0x9E3779B97F4A7C15u) >> 20) & t->mask;
}

uint32_t *table_find(const table_t *t, uint64_t key)
{
    if (t->keys == NULL) {
        return NULL;
    }
    for (size_t i = home(t, key); t->keys[i] != 0; i = (i + 1) & t->mask) {
        if (t->keys[i] == key) {
            return &t->values[i];
        }
    }
    return NULL;
}

static int table_resize(table_t *t, size_t size)
{
    table_t bigger = {reserve_memory(size * sizeof(uint64_t)), reserve_memory(size * sizeof(uint32_t)), size - 1, 0};
    if (bigger.keys == NULL || bigger.values == NULL) {
        release_memory(bigger.keys, size * sizeof(uint64_t));
        release_memory(bigger.values, size * sizeof(uint32_t));
        return 0;
    }
    if (t->keys != NULL) {
        for (size_t i = 0; i <= t->mask; i++) {
            if (t->keys[i] != 0) {
                table_put(&bigger, t->keys[i], t->values[i]);
            }
        }
        release_memory(t->keys, (t->mask + 1) * sizeof(uint64_t));
        release_memory(t->values, (t->mask + 1) * sizeof(uint32_t));
    }
    *t = bigger;
    return 1;
}

int table_put(table_t *t, uint64_t key, uint32_t value)
{
    if ((t->keys == NULL || t->used * 2 > t->mask) && !table_resize(t, t->keys == NULL ? 4096 : 2 * (t->mask + 1))) {
        return 0;
    }
    size_t i = home(t, key);
    while (t->keys[i] != 0 && t->keys[i] != key) {
        i = (i + 1) & t->mask;
    }
    t->used += t->keys[i] == 0;
    t->keys[i] = key;
    t->values[i] = value;
    return 1;
}

void table_drop(table_t *t)
{
    if (t->keys != NULL) {
        release_memory(t->keys, (t->mask + 1) * sizeof(uint64_t));
        release_memory(t->values, (t->mask + 1) * sizeof(uint32_t));
    }
    *t = (table_t){0};
}

void table_remove(table_t *t, uint64_t key)
{
    uint32_t *found = table_find(t, key);
    if (found == NULL) {
        return;
    }
    size_t hole = (size_t)(found - t->values);
    for (size_t i = (hole + 1) & t->mask; t->keys[i] != 0; i = (i + 1) & t->mask) {
        size_t h = home(t, t->keys[i]);
        if (((i - h) & t->mask) >= ((i - hole) & t->mask)) {
            t->keys[hole] = t->keys[i];
            t->values[hole] = t->values[i];
            hole = i;
        }
    }
    t->keys[hole] = 0;
    t->used--;
}
