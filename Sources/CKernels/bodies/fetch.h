// What a product fetches meanwhile: a walk over matrices that are wanted soon, a line at a time.
#pragma once

/// A walk over the lines of a region.
typedef struct {
    /// The next line, the end of its row, and the last line of all.
    const float *next, *row_end, *last;
    /// From the end of a row to the start of the next, and to its end.
    ptrdiff_t gap, stride;
} line_walk;

INLINE line_walk walk(tt_region region) {
    return (line_walk){region.base, region.base + region.width,
                       region.base + (region.rows - 1) * region.stride + region.width - 1,
                       region.stride - region.width, region.stride};
}

/// What is fetched meanwhile: what this product itself needs next, then what others will.
typedef struct {
    line_walk own, others;
    const tt_upcoming *list;
    int done;
} fetcher;

/// A walk that stays where it is: asking again for a line that is there costs next to nothing, which
/// asking for address 0 does not.
INLINE line_walk stay(const float *place) { return (line_walk){place, place, place, 0, 0}; }

/// Fetches what is on the list, which may be null; `place` is in the cache.
INLINE fetcher fetcher_of(const tt_upcoming *list, const float *place) {
    return (fetcher){stay(place), stay(place), list, 0};
}

/// The walk that goes on.
INLINE line_walk *advance(fetcher *fetch) {
    if (fetch->own.next < fetch->own.last) return &fetch->own;
    while (fetch->others.next >= fetch->others.last && fetch->list && fetch->done < 3) {
        tt_region region = fetch->list->regions[fetch->done++];
        if (region.rows > 0) fetch->others = walk(region);
    }
    return &fetch->others;
}
