/* Read the flag of a symbol from the board, as a process written in C would.
 *
 *     cc -std=c11 -Wall -Wextra -Werror -O2 -I src/liqwarn/board examples/board_reader.c -o board_reader -lm
 *     ./board_reader /dev/shm/liqwarn.board BTCUSDT
 *
 * Prints `field value` lines and ends with 0, or prints the code and ends with it: no new risk.
 */
#define _GNU_SOURCE
#include "liqwarn_board.h"

#include <inttypes.h>

static void print_hex(const char *name, const unsigned char *bytes, size_t count)
{
    printf("%s ", name);
    for (size_t i = 0; i < count; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static void print_side(const char *name, const liqwarn_side *side)
{
    static const char *const states[] = {"REDUCING", "ACTIVE", "HALTED"};
    printf("%s.tier %d\n", name, side->tier);
    printf("%s.state %s\n", name, states[side->state]);
    printf("%s.net_increase %d\n", name, side->net_increase);
    printf("%s.post_only %d\n", name, side->post_only);
    printf("%s.cancel_increasing %d\n", name, side->cancel_increasing);
    printf("%s.leverage_frac %.17g\n", name, side->leverage_frac);
    printf("%s.order_size_frac %.17g\n", name, side->order_size_frac);
    printf("%s.add_frac %.17g\n", name, side->add_frac);
    printf("%s.collateral_buffer_mult %.17g\n", name, side->collateral_buffer_mult);
    printf("%s.max_participation_frac %.17g\n", name, side->max_participation_frac);
    printf("%s.collar_frac %.17g\n", name, side->collar_frac);
    printf("%s.p_1h %.17g\n", name, side->p_1h);
    printf("%s.p_4h %.17g\n", name, side->p_4h);
    printf("%s.p_24h %.17g\n", name, side->p_24h);
}

int main(int count, char **words)
{
    static const char *const codes[] = {
        "ok",          "missing", "unknown version", "damaged", "dead",   "unknown symbol",
        "no flag yet", "torn",    "inconsistent",    "silent",  "expired"};
    static const char *const qualities[] = {"unknown", "ok", "degraded", "stale"};
    liqwarn_board board;
    liqwarn_flag flag;
    if (count != 3) {
        fprintf(stderr, "usage: board_reader BOARD SYMBOL\n");
        return 64;
    }
    liqwarn_board_open(&board, words[1]);
    board.max_silence_ns = 15000000000LL;
    int code = liqwarn_board_read(&board, words[2], &flag);
    printf("code %s\n", codes[code]);
    if (code == LIQWARN_OK) {
        printf("symbol %s\n", flag.symbol);
        printf("sequence %" PRIu64 "\n", flag.sequence);
        printf("as_of_ns %" PRId64 "\n", flag.as_of_ns);
        printf("issued_at_ns %" PRId64 "\n", flag.issued_at_ns);
        printf("valid_until_ns %" PRId64 "\n", flag.valid_until_ns);
        printf("deadline_ns %" PRIu64 "\n", flag.deadline_ns);
        printf("quality %s\n", qualities[flag.quality]);
        printf("completeness %.17g\n", flag.completeness);
        print_hex("model", flag.model, sizeof flag.model);
        print_hex("policy", flag.policy, sizeof flag.policy);
        print_hex("data", flag.data, sizeof flag.data);
        print_hex("key_id", flag.key_id, sizeof flag.key_id);
        print_side("long", &flag.sides[LIQWARN_LONG]);
        print_side("short", &flag.sides[LIQWARN_SHORT]);
        printf("long.new_risk %d\n", liqwarn_new_risk(code, &flag, LIQWARN_LONG));
        printf("short.new_risk %d\n", liqwarn_new_risk(code, &flag, LIQWARN_SHORT));
    }
    liqwarn_board_close(&board);
    return code;
}
