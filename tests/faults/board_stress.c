/* Reads one symbol for a time, through the header and naively, and counts what does not fit.
 *
 *     board_stress BOARD SYMBOL START_NS DEADLINE_NS SECONDS
 *
 * Every field follows from one number (see board_numbers.py). The naive reader copies the slot
 * without its counter and checksum: it must see torn flags, or this test could not see any.
 */
#define _GNU_SOURCE
#include "liqwarn_board.h"

#include <inttypes.h>
#include <stdlib.h>

static int side_fits(const liqwarn_side *side, int64_t n)
{
    double share = (double)(n % 101) / 100;
    return side->tier == n % 5 && side->state == LIQWARN_ACTIVE && side->net_increase &&
           side->leverage_frac == share && side->order_size_frac == share &&
           side->add_frac == share && side->collateral_buffer_mult == 1 + share &&
           side->max_participation_frac == share && side->collar_frac == share &&
           side->p_1h == share && side->p_4h == share && side->p_24h == share &&
           side->post_only == n % 2 && !side->cancel_increasing;
}

static int fits(const liqwarn_flag *flag, int64_t start, uint64_t deadline)
{
    int64_t n = (flag->issued_at_ns - start) / 1000;
    return flag->as_of_ns == start && flag->deadline_ns == deadline + (uint64_t)n &&
           flag->valid_until_ns == start + 12LL * 3600 * 1000000000 + n * 1000 &&
           flag->sequence == (uint64_t)(start / 1000000000 + n % 80000) &&
           flag->completeness == (double)(n % 1000) / 1000 &&
           side_fits(&flag->sides[LIQWARN_LONG], n) && side_fits(&flag->sides[LIQWARN_SHORT], n + 1);
}

static int naive_fits(const liqwarn_board *board, uint32_t index, int64_t start, uint64_t deadline)
{
    static liqwarn_flag flag;
    unsigned char slot[LIQWARN_SLOT_SIZE];
    memcpy(slot, board->map + LIQWARN_HEADER_SIZE + index * LIQWARN_SLOT_SIZE, sizeof slot);
    memcpy(&flag.sequence, slot + 80, 8);
    memcpy(&flag.as_of_ns, slot + 88, 8);
    memcpy(&flag.issued_at_ns, slot + 96, 8);
    memcpy(&flag.valid_until_ns, slot + 104, 8);
    memcpy(&flag.deadline_ns, slot + 112, 8);
    flag.completeness = liqwarn_f64(slot + 128);
    liqwarn_read_side(slot + 192, &flag.sides[LIQWARN_LONG]);
    liqwarn_read_side(slot + 280, &flag.sides[LIQWARN_SHORT]);
    return flag.as_of_ns == 0 || fits(&flag, start, deadline);
}

int main(int count, char **words)
{
    liqwarn_board board;
    liqwarn_flag flag;
    if (count != 6)
        return 64;
    int64_t start = atoll(words[3]);
    uint64_t deadline = (uint64_t)atoll(words[4]), last = 0;
    long reads = 0, changes = 0, torn = 0, refused = 0, naive = 0;
    uint32_t index = 0;
    int64_t end = liqwarn_clock_ns(CLOCK_BOOTTIME) + (int64_t)(atof(words[5]) * 1e9);
    liqwarn_board_open(&board, words[1]);
    while (liqwarn_clock_ns(CLOCK_BOOTTIME) < end) {
        if (liqwarn_board_read(&board, words[2], &flag) != LIQWARN_OK) {
            refused++;
        } else {
            reads++;
            changes += flag.deadline_ns != last;
            last = flag.deadline_ns;
            torn += !fits(&flag, start, deadline);
        }
        if (board.map != NULL && liqwarn_find(&board, words[2], &index) == LIQWARN_OK)
            naive += !naive_fits(&board, index, start, deadline);
    }
    printf("{\"reads\": %ld, \"changes\": %ld, \"torn\": %ld, \"refused\": %ld, \"naive_torn\": %ld}\n",
           reads, changes, torn, refused, naive);
    liqwarn_board_close(&board);
    return 0;
}
