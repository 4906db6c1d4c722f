/* liqwarn_board.h: read the flag board of liqwarn from C. Layout: docs/board.md.
 *
 * Header only, C11 with atomics, POSIX, no dependencies. Little-endian hosts.
 *
 *     liqwarn_board board;
 *     liqwarn_flag flag;
 *     liqwarn_board_open(&board, "/dev/shm/liqwarn.board");
 *     int code = liqwarn_board_read(&board, "BTCUSDT", &flag);
 *     if (!liqwarn_new_risk(code, &flag, LIQWARN_LONG)) { ... no order that grows a long ... }
 *     liqwarn_board_close(&board);
 *
 * Anything but LIQWARN_OK means: no flag, so no new risk. Reducing a position is never barred.
 * Signatures are NOT verified here; `liqwarn_flag` hands over the signed bytes, the signature and
 * the key's id for whoever brings an Ed25519 library.
 * One `liqwarn_board` belongs to one thread.
 */
#ifndef LIQWARN_BOARD_H
#define LIQWARN_BOARD_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include: CLOCK_BOOTTIME needs it"
#endif

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "liqwarn_board.h needs a little-endian host"
#endif

#define LIQWARN_LAYOUT_VERSION 1u
#define LIQWARN_HEADER_SIZE 256u
#define LIQWARN_SLOT_SIZE 512u
#define LIQWARN_SYMBOL_SIZE 48u
#define LIQWARN_BODY_SIZE 400u /* the signed payload, from byte 8 of a slot */
#define LIQWARN_BEAT_AT 64u
#define LIQWARN_STATE_AT 72u
#define LIQWARN_COUNT_AT 80u
#define LIQWARN_ALIVE 1u
#define LIQWARN_MAX_SLOTS 1048576u
#define LIQWARN_DAY_NS 86400000000000LL
#define LIQWARN_RECHECK_NS 1000000000LL
#define LIQWARN_MAX_TRIES 20000

enum liqwarn_code {
    LIQWARN_OK = 0,
    LIQWARN_MISSING,         /* no file, or it cannot be mapped */
    LIQWARN_UNKNOWN_VERSION, /* not a board, or one of another layout */
    LIQWARN_DAMAGED,         /* a size, place or checksum is wrong */
    LIQWARN_DEAD,            /* its writer closed it, or it is of an earlier start of the machine */
    LIQWARN_UNKNOWN_SYMBOL,  /* no slot of that name */
    LIQWARN_NO_FLAG_YET,     /* nothing was written since the writer's start */
    LIQWARN_TORN,            /* a write has not ended: the writer died within it */
    LIQWARN_INCONSISTENT,    /* its numbers contradict each other */
    LIQWARN_SILENT,          /* the writer's heartbeat is too old */
    LIQWARN_EXPIRED          /* past its end by the wall clock or the boot clock */
};

enum { LIQWARN_LONG = 0, LIQWARN_SHORT = 1 };
enum { LIQWARN_REDUCING = 0, LIQWARN_ACTIVE = 1, LIQWARN_HALTED = 2 };
enum { LIQWARN_UNKNOWN = 0, LIQWARN_GOOD = 1, LIQWARN_DEGRADED = 2, LIQWARN_STALE = 3 };

typedef struct {
    int tier;  /* 0 to 5 */
    int state; /* LIQWARN_REDUCING, LIQWARN_ACTIVE, LIQWARN_HALTED */
    int net_increase, post_only, cancel_increasing;
    double leverage_frac, order_size_frac, add_frac, collateral_buffer_mult;
    double max_participation_frac; /* NaN: the house limit */
    double collar_frac;            /* NaN: no collar */
    double p_1h, p_4h, p_24h;      /* NaN: unknown */
} liqwarn_side;

typedef struct {
    char symbol[LIQWARN_SYMBOL_SIZE + 1];
    uint64_t sequence;
    int64_t as_of_ns, issued_at_ns, valid_until_ns; /* since 1970, UTC */
    uint64_t deadline_ns;                           /* of CLOCK_BOOTTIME */
    double completeness;
    int quality;
    unsigned char model[16], policy[16], data[16]; /* first bytes of their hashes */
    liqwarn_side sides[2];
    unsigned char key_id[8];     /* zeros: unsigned */
    unsigned char signature[64]; /* over "liqwarn.board/1\0" and body */
    unsigned char body[LIQWARN_BODY_SIZE];
} liqwarn_flag;

typedef struct {
    const char *path; /* the caller's; it must outlive the board */
    const unsigned char *map;
    size_t size;
    dev_t device;
    ino_t inode;
    uint32_t capacity, last; /* `last`: the slot found last */
    uint64_t generation;
    int64_t recheck_ns;
    int64_t max_silence_ns; /* set it after opening; 0 asks for no heartbeat */
    unsigned char boot[16];
} liqwarn_board;

static inline int64_t liqwarn_clock_ns(clockid_t which)
{
    struct timespec t;
    if (clock_gettime(which, &t) != 0)
        return INT64_MAX; /* without a clock everything has expired */
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline uint32_t liqwarn_crc32(const unsigned char *bytes, size_t count)
{
    static _Atomic int ready = 0;
    static uint32_t table[256];
    if (!atomic_load_explicit(&ready, memory_order_acquire)) {
        for (uint32_t i = 0; i < 256; i++) { /* two threads fill in the same numbers */
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = (c & 1u) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        atomic_store_explicit(&ready, 1, memory_order_release);
    }
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < count; i++)
        crc = table[(crc ^ bytes[i]) & 0xFFu] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFFu;
}

static inline uint64_t liqwarn_word(const liqwarn_board *board, size_t at)
{
    const _Atomic uint64_t *word = (const _Atomic uint64_t *)(const void *)(board->map + at);
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void liqwarn_boot_id(unsigned char *boot)
{
    char text[64] = {0};
    int digits = 0, descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    memset(boot, 0, 16);
    if (descriptor < 0)
        return;
    ssize_t count = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    for (ssize_t i = 0; i < count && digits < 32; i++) {
        char c = text[i];
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (value < 0)
            continue;
        boot[digits / 2] = (unsigned char)(boot[digits / 2] * 16 + value);
        digits++;
    }
}

/* Let go of the file; a later read opens it again. */
static inline void liqwarn_board_close(liqwarn_board *board)
{
    if (board->map != NULL)
        munmap((void *)(uintptr_t)board->map, board->size);
    board->map = NULL;
}

static inline int liqwarn_check_header(liqwarn_board *board, const unsigned char *head, size_t size)
{
    uint32_t field[6], crc;
    memcpy(field, head + 8, sizeof field);
    memcpy(&crc, head + 60, 4);
    if (memcmp(head, "LIQBOARD", 8) != 0 || field[0] != LIQWARN_LAYOUT_VERSION ||
        field[1] != 0x01020304u || field[2] != LIQWARN_HEADER_SIZE ||
        field[3] != LIQWARN_SLOT_SIZE || field[5] != LIQWARN_BODY_SIZE ||
        crc != liqwarn_crc32(head, 60))
        return LIQWARN_UNKNOWN_VERSION;
    if (field[4] > LIQWARN_MAX_SLOTS ||
        size != LIQWARN_HEADER_SIZE + (size_t)field[4] * LIQWARN_SLOT_SIZE)
        return LIQWARN_DAMAGED;
    board->capacity = field[4];
    memcpy(&board->generation, head + 32, 8);
    return memcmp(head + 40, board->boot, 16) == 0 ? LIQWARN_OK : LIQWARN_DEAD;
}

static inline int liqwarn_board_map(liqwarn_board *board)
{
    struct stat found;
    unsigned char head[LIQWARN_HEADER_SIZE];
    int code = LIQWARN_MISSING;
    int descriptor = open(board->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return code;
    if (fstat(descriptor, &found) == 0) {
        ssize_t count = pread(descriptor, head, sizeof head, 0);
        code = count == (ssize_t)sizeof head
                   ? liqwarn_check_header(board, head, (size_t)found.st_size)
                   : LIQWARN_UNKNOWN_VERSION;
    }
    if (code == LIQWARN_OK) {
        void *map = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
        if (map == MAP_FAILED) {
            code = LIQWARN_MISSING;
        } else {
            board->map = (const unsigned char *)map;
            board->size = (size_t)found.st_size;
            board->device = found.st_dev;
            board->inode = found.st_ino;
            board->recheck_ns = liqwarn_clock_ns(CLOCK_BOOTTIME) + LIQWARN_RECHECK_NS;
            if (liqwarn_word(board, LIQWARN_STATE_AT) != LIQWARN_ALIVE) {
                liqwarn_board_close(board);
                code = LIQWARN_DEAD;
            }
        }
    }
    close(descriptor);
    return code;
}

/* Start reading the board at `path`. It may still be missing: a read looks again. */
static inline int liqwarn_board_open(liqwarn_board *board, const char *path)
{
    memset(board, 0, sizeof *board);
    board->path = path;
    liqwarn_boot_id(board->boot);
    return liqwarn_board_map(board);
}

/* The file in use, or the one at the path when that is another. */
static inline int liqwarn_board_current(liqwarn_board *board)
{
    if (board->map != NULL && liqwarn_word(board, LIQWARN_STATE_AT) == LIQWARN_ALIVE) {
        struct stat found;
        int64_t now = liqwarn_clock_ns(CLOCK_BOOTTIME);
        if (now < board->recheck_ns)
            return LIQWARN_OK;
        if (stat(board->path, &found) == 0 && found.st_dev == board->device &&
            found.st_ino == board->inode && (size_t)found.st_size == board->size) {
            board->recheck_ns = now + LIQWARN_RECHECK_NS;
            return LIQWARN_OK;
        }
    }
    liqwarn_board_close(board);
    return liqwarn_board_map(board);
}

/* Seconds since the writer's last sign of life; negative without a board. */
static inline double liqwarn_board_silence_s(liqwarn_board *board)
{
    if (liqwarn_board_current(board) != LIQWARN_OK)
        return -1.0;
    int64_t beat = (int64_t)liqwarn_word(board, LIQWARN_BEAT_AT);
    return (double)(liqwarn_clock_ns(CLOCK_BOOTTIME) - beat) / 1e9;
}

static inline int liqwarn_find(liqwarn_board *board, const char *symbol, uint32_t *index)
{
    char name[LIQWARN_SYMBOL_SIZE] = {0};
    size_t length = strlen(symbol);
    uint64_t count = liqwarn_word(board, LIQWARN_COUNT_AT);
    if (length == 0 || length > sizeof name)
        return LIQWARN_UNKNOWN_SYMBOL;
    memcpy(name, symbol, length);
    if (count > board->capacity)
        count = board->capacity;
    for (uint32_t k = 0; k < count; k++) { /* the one found last comes first */
        uint32_t i = (uint32_t)((k + (uint64_t)board->last) % count);
        size_t at = LIQWARN_HEADER_SIZE + (size_t)i * LIQWARN_SLOT_SIZE + 8;
        if (memcmp(board->map + at, name, sizeof name) == 0) { /* a name never changes */
            *index = board->last = i;
            return LIQWARN_OK;
        }
    }
    return LIQWARN_UNKNOWN_SYMBOL;
}

/* Copy a slot whole: the counter is even, and the same before and after. */
static inline int liqwarn_copy(const liqwarn_board *board, uint32_t index, unsigned char *slot)
{
    size_t at = LIQWARN_HEADER_SIZE + (size_t)index * LIQWARN_SLOT_SIZE;
    for (int tries = 0; tries < LIQWARN_MAX_TRIES; tries++) {
        uint64_t before = liqwarn_word(board, at);
        if (before == 0)
            return LIQWARN_NO_FLAG_YET;
        if ((before & 1u) == 0) {
            for (size_t i = 8; i < LIQWARN_SLOT_SIZE; i += 8) {
                const _Atomic uint64_t *from =
                    (const _Atomic uint64_t *)(const void *)(board->map + at + i);
                uint64_t word = atomic_load_explicit(from, memory_order_relaxed);
                memcpy(slot + i, &word, 8);
            }
            atomic_thread_fence(memory_order_acquire);
            if (liqwarn_word(board, at) == before) {
                memcpy(slot, &before, 8);
                return LIQWARN_OK;
            }
        }
        if (tries > 100)
            sched_yield();
    }
    return LIQWARN_TORN;
}

static inline double liqwarn_f64(const unsigned char *at)
{
    double value;
    memcpy(&value, at, 8);
    return value;
}

static inline int liqwarn_is_share(double value)
{
    return value >= 0.0 && value <= 1.0;
}

static inline int liqwarn_read_side(const unsigned char *from, liqwarn_side *side)
{
    double p[3];
    side->tier = from[0];
    side->state = from[1];
    side->net_increase = from[2] & 1;
    side->post_only = (from[2] >> 1) & 1;
    side->cancel_increasing = (from[2] >> 2) & 1;
    side->leverage_frac = liqwarn_f64(from + 8);
    side->order_size_frac = liqwarn_f64(from + 16);
    side->add_frac = liqwarn_f64(from + 24);
    side->collateral_buffer_mult = liqwarn_f64(from + 32);
    side->max_participation_frac = liqwarn_f64(from + 40);
    side->collar_frac = liqwarn_f64(from + 48);
    for (int i = 0; i < 3; i++) {
        p[i] = liqwarn_f64(from + 56 + 8 * i);
        if (!isnan(p[i]) && !liqwarn_is_share(p[i]))
            return LIQWARN_INCONSISTENT;
    }
    side->p_1h = p[0];
    side->p_4h = p[1];
    side->p_24h = p[2];
    int limits = liqwarn_is_share(side->leverage_frac) &&
                 liqwarn_is_share(side->order_size_frac) && liqwarn_is_share(side->add_frac) &&
                 side->collateral_buffer_mult >= 1.0 && isfinite(side->collateral_buffer_mult) &&
                 (isnan(side->max_participation_frac) ||
                  liqwarn_is_share(side->max_participation_frac)) &&
                 (isnan(side->collar_frac) || liqwarn_is_share(side->collar_frac));
    int agrees = side->tier <= 5 && side->state <= 2 &&
                 (side->state == LIQWARN_ACTIVE) == side->net_increase &&
                 (side->state != LIQWARN_HALTED || side->tier == 5);
    return limits && agrees ? LIQWARN_OK : LIQWARN_INCONSISTENT;
}

static inline int liqwarn_check_times(const liqwarn_flag *flag, int64_t wall, int64_t boot)
{
    int64_t newest =
        flag->issued_at_ns > flag->as_of_ns ? flag->issued_at_ns : flag->as_of_ns;
    if (flag->valid_until_ns < flag->as_of_ns ||
        flag->valid_until_ns - LIQWARN_DAY_NS > flag->as_of_ns || newest - LIQWARN_DAY_NS > wall)
        return LIQWARN_INCONSISTENT;
    if (newest < 0 || flag->sequence > (uint64_t)(newest + LIQWARN_DAY_NS) / 1000000000u)
        return LIQWARN_INCONSISTENT;
    if (flag->deadline_ns > (uint64_t)(boot + LIQWARN_DAY_NS))
        return LIQWARN_INCONSISTENT;
    if (wall >= flag->valid_until_ns || (uint64_t)boot >= flag->deadline_ns)
        return LIQWARN_EXPIRED;
    return LIQWARN_OK;
}

static inline int liqwarn_decode(const liqwarn_board *board, uint32_t index,
                                 const unsigned char *slot, liqwarn_flag *flag)
{
    uint32_t crc, place, version;
    uint64_t generation;
    memcpy(&crc, slot + 472, 4);
    memcpy(&generation, slot + 64, 8);
    memcpy(&place, slot + 72, 4);
    memcpy(&version, slot + 76, 4);
    if (crc != liqwarn_crc32(slot + 8, 464))
        return LIQWARN_DAMAGED;
    if (version != 1u)
        return LIQWARN_UNKNOWN_VERSION;
    if (memcmp(slot, slot + 56, 8) != 0 || generation != board->generation || place != index ||
        memcmp(slot + 120, board->boot, 8) != 0)
        return LIQWARN_DAMAGED;
    memset(flag, 0, sizeof *flag);
    memcpy(flag->symbol, slot + 8, LIQWARN_SYMBOL_SIZE);
    memcpy(&flag->sequence, slot + 80, 8);
    memcpy(&flag->as_of_ns, slot + 88, 8);
    memcpy(&flag->issued_at_ns, slot + 96, 8);
    memcpy(&flag->valid_until_ns, slot + 104, 8);
    memcpy(&flag->deadline_ns, slot + 112, 8);
    flag->completeness = liqwarn_f64(slot + 128);
    memcpy(flag->model, slot + 136, 16);
    memcpy(flag->policy, slot + 152, 16);
    memcpy(flag->data, slot + 168, 16);
    flag->quality = slot[184];
    memcpy(flag->key_id, slot + 368, 8);
    memcpy(flag->signature, slot + 408, 64);
    memcpy(flag->body, slot + 8, LIQWARN_BODY_SIZE);
    if (flag->quality > LIQWARN_STALE || !liqwarn_is_share(flag->completeness))
        return LIQWARN_INCONSISTENT;
    int code = liqwarn_read_side(slot + 192, &flag->sides[LIQWARN_LONG]);
    return code != LIQWARN_OK ? code : liqwarn_read_side(slot + 280, &flag->sides[LIQWARN_SHORT]);
}

/* The flag of a symbol, good at this moment; LIQWARN_OK, or why there is none.
 * `flag` holds something to obey only on LIQWARN_OK. */
static inline int liqwarn_board_read(liqwarn_board *board, const char *symbol, liqwarn_flag *flag)
{
    uint32_t index = 0;
    _Alignas(8) unsigned char slot[LIQWARN_SLOT_SIZE];
    int code = liqwarn_board_current(board);
    if (code == LIQWARN_OK)
        code = liqwarn_find(board, symbol, &index);
    if (code == LIQWARN_OK)
        code = liqwarn_copy(board, index, slot);
    if (code == LIQWARN_OK)
        code = liqwarn_decode(board, index, slot, flag);
    if (code != LIQWARN_OK)
        return code;
    int64_t wall = liqwarn_clock_ns(CLOCK_REALTIME), boot = liqwarn_clock_ns(CLOCK_BOOTTIME);
    int64_t silence = boot - (int64_t)liqwarn_word(board, LIQWARN_BEAT_AT);
    if (silence < -1000000000LL || (board->max_silence_ns > 0 && silence > board->max_silence_ns))
        return LIQWARN_SILENT;
    return liqwarn_check_times(flag, wall, boot);
}

/* Whether exposure of a side may grow at all, by what liqwarn_board_read gave. */
static inline int liqwarn_new_risk(int code, const liqwarn_flag *flag, int side)
{
    if (code != LIQWARN_OK || (side != LIQWARN_LONG && side != LIQWARN_SHORT) ||
        (flag->quality != LIQWARN_GOOD && flag->quality != LIQWARN_DEGRADED))
        return 0;
    const liqwarn_side *own = &flag->sides[side];
    return own->net_increase && own->leverage_frac > 0.0 && own->order_size_frac > 0.0 &&
           own->add_frac > 0.0;
}

#endif
