/* Time of one read of the board from C: bench_board BOARD SYMBOL READS prints p50 and p99 in ns. */
#define _GNU_SOURCE
#include "liqwarn_board.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words)
{
    liqwarn_board board;
    liqwarn_flag flag;
    if (count != 4)
        return 64;
    long reads = atol(words[3]);
    int64_t *took = malloc(sizeof *took * (size_t)reads);
    if (took == NULL || liqwarn_board_open(&board, words[1]) != LIQWARN_OK)
        return 1;
    for (long i = 0; i < reads; i++) {
        int64_t start = liqwarn_clock_ns(CLOCK_MONOTONIC);
        if (liqwarn_board_read(&board, words[2], &flag) != LIQWARN_OK)
            return 2;
        took[i] = liqwarn_clock_ns(CLOCK_MONOTONIC) - start;
    }
    qsort(took, (size_t)reads, sizeof *took, compare);
    printf("%lld %lld\n", (long long)took[reads / 2], (long long)took[reads * 99 / 100]);
    free(took);
    liqwarn_board_close(&board);
    return 0;
}
