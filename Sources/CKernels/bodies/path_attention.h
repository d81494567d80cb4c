// Attention of single queries over the keys and values on their paths through the prefix tree.
//
// Neighbouring queries mostly share the greater part of their paths: siblings, or a node and its
// child. A block of them reads the shared part as one matrix, gathered once and kept for the next
// block, in products; what each has for itself it reads node by node.
//
// A query's result does not depend on its neighbours to the last bit: sums over channels and over
// nodes run in order, whichever way a node is read. Plans made together are those made alone.
#pragma once

/// Nodes whose keys and values are fetched ahead of their use; nodes lie anywhere in memory.
#define NODES_AHEAD 24

/// Fetches keys and values of nodes `from` ..< `to`, or as many as there are.
INLINE void fetch_nodes(const float *keys_values, const int32_t *nodes, ptrdiff_t from,
                        ptrdiff_t to, ptrdiff_t count, ptrdiff_t width) {
    for (ptrdiff_t k = from; k < to && k < count; k++)
        for (ptrdiff_t c = 0; c < 2 * width; c += 16)
            __builtin_prefetch(keys_values + 2 * nodes[k] * width + c, 0, 2);
}

/// Keys and values of the first nodes of a path, gathered: keys as panels of columns, values as rows.
typedef struct {
    float *keys, *values;
    int32_t *nodes;
    ptrdiff_t count, width;
    const float *keys_values;
} gathered_path;

/// The keys of up to eight nodes as columns: channel c of node i goes to columns[c * row + i].
INLINE void turn_keys(float *columns, ptrdiff_t row, const float *keys_values,
                      const int32_t *nodes, ptrdiff_t count, ptrdiff_t width) {
    const float *rows[8];
    for (ptrdiff_t i = 0; i < 8; i++)
        rows[i] = keys_values + 2 * nodes[i < count ? i : count - 1] * width;
    ptrdiff_t c = 0;
    for (; c + 8 <= width; c += 8) transpose_8x8_of(columns + c * row, row, rows, c);
    for (; c < width; c++)
        for (ptrdiff_t i = 0; i < 8; i++) columns[c * row + i] = rows[i][c];
}

/// Makes the first `count` nodes of `path` the gathered ones; those that already are stay.
INLINE void gather_path(gathered_path *gathered, const int32_t *path, ptrdiff_t count) {
    ptrdiff_t width = gathered->width, same = 0;
    ptrdiff_t known = gathered->count < count ? gathered->count : count;
    while (same < known && gathered->nodes[same] == path[same]) same++;
    // Keys are laid out eight at a time.
    same = same / 8 * 8;
    for (ptrdiff_t k = same; k < count; k += 8) {
        fetch_nodes(gathered->keys_values, path, k + NODES_AHEAD, k + NODES_AHEAD + 8, count,
                    width);
        for (ptrdiff_t i = k; i < k + 8 && i < count; i++) {
            gathered->nodes[i] = path[i];
            memcpy(gathered->values + i * width,
                   gathered->keys_values + (2 * path[i] + 1) * width,
                   (size_t)width * sizeof(float));
        }
        turn_keys(gathered->keys + k / PANEL * PANEL * width + k % PANEL, PANEL,
                  gathered->keys_values, path + k, count - k, width);
    }
    gathered->count = count;
}

/// Fewer nodes than this are scored one by one.
#define FEWEST_TURNED 4

/// Scores of one query with `count` nodes, for every head, heads `head_step` apart.
///
/// `columns` has room for the keys of eight nodes.
INLINE void score_nodes(float *scores, ptrdiff_t head_step, const float *query,
                        const float *keys_values, const int32_t *nodes, ptrdiff_t count,
                        ptrdiff_t width, ptrdiff_t head_width, float *columns) {
    ptrdiff_t k = 0;
    for (; k + FEWEST_TURNED <= count; k += 8) {
        turn_keys(columns, 8, keys_values, nodes + k, count - k, width);
        for (ptrdiff_t first = 0, h = 0; first < width; first += head_width, h++) {
            v8 sum = {0};
            for (ptrdiff_t c = first; c < first + head_width; c++)
                sum += query[c] * *(const v8_unaligned *)(columns + c * 8);
            *(v8_unaligned *)(scores + h * head_step + k) = sum;
        }
    }
    for (; k < count; k++) {
        const float *key = keys_values + 2 * nodes[k] * width;
        for (ptrdiff_t first = 0, h = 0; first < width; first += head_width, h++) {
            float sum = 0;
            for (ptrdiff_t c = first; c < first + head_width; c++) sum += query[c] * key[c];
            scores[h * head_step + k] = sum;
        }
    }
}

/// out += sum over k of p[k] * values[k], `vectors` vectors of channels at a time.
INLINE void weighted_sum(float *out, const float *p, const float *keys_values,
                         const int32_t *path, ptrdiff_t count, ptrdiff_t offset,
                         ptrdiff_t node_stride, int vectors) {
    vf sums[2];
    for (int c = 0; c < vectors; c++) sums[c] = load(out + c * LANES);
    for (ptrdiff_t k = 0; k < count; k++) {
        const float *value = keys_values + path[k] * node_stride + offset;
        vf weight = splat(p[k]);
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) sums[c] += weight * load(value + c * LANES);
    }
    for (int c = 0; c < vectors; c++) store(out + c * LANES, sums[c]);
}

/// Adds one head's values at `count` nodes, weighted, to `out`; the head starts at channel `first`.
INLINE void add_values(float *out, const float *p, const float *keys_values, const int32_t *nodes,
                       ptrdiff_t count, ptrdiff_t width, ptrdiff_t first, ptrdiff_t head_width) {
    ptrdiff_t c = 0;
    for (; c + 2 * LANES <= head_width; c += 2 * LANES)
        weighted_sum(out + c, p, keys_values, nodes, count, width + first + c, 2 * width, 2);
    for (; c + LANES <= head_width; c += LANES)
        weighted_sum(out + c, p, keys_values, nodes, count, width + first + c, 2 * width, 1);
    for (; c < head_width; c++) {
        float sum = out[c];
        for (ptrdiff_t k = 0; k < count; k++)
            sum += p[k] * keys_values[nodes[k] * 2 * width + width + first + c];
        out[c] = sum;
    }
}

/// Nodes that two paths have in common from their start.
INLINE ptrdiff_t shared_length(const int32_t *a, ptrdiff_t a_count, const int32_t *b,
                               ptrdiff_t b_count) {
    ptrdiff_t limit = a_count < b_count ? a_count : b_count, k = 0;
    for (; k + 8 <= limit; k += 8)
        if (memcmp(a + k, b + k, 8 * sizeof(int32_t))) break;
    while (k < limit && a[k] == b[k]) k++;
    return k;
}

void FN(path_attention)(float *out, const float *queries, const float *keys_values,
                        const int32_t *path, const ptrdiff_t *offset, float *scratch,
                        ptrdiff_t longest, ptrdiff_t rows, ptrdiff_t query_stride, ptrdiff_t width,
                        ptrdiff_t heads) {
    ptrdiff_t head_width = width / heads;
    ptrdiff_t room = (longest + PANEL - 1) / PANEL * PANEL;
    ptrdiff_t step = room + PANEL, head_step = TILE * step;
    float scale = 1.0f / sqrtf((float)head_width);
    float *scores = scratch;
    gathered_path gathered = {scores + heads * head_step, 0, 0, 0, width, keys_values};
    gathered.values = gathered.keys + room * width;
    float *columns = gathered.values + room * width;
    gathered.nodes = (int32_t *)(columns + 8 * width);
    float *own_weights = (float *)(gathered.nodes + room);
    fetcher no_fetch = fetcher_of(0, scratch);
    tt_dropout none = {0, 0, 0, 1};
    for (ptrdiff_t first = 0, count; first < rows; first += count) {
        // A block: queries whose paths run mostly along one, which grows where a path goes on from
        // its end. Of query i the first shared[i] nodes lie on it, the rest are its own.
        ptrdiff_t shared[TILE];
        const int32_t *trunk = path + offset[first];
        ptrdiff_t length = shared[0] = offset[first + 1] - offset[first];
        for (count = 1; count < TILE && first + count < rows; count++) {
            const int32_t *other = path + offset[first + count];
            ptrdiff_t other_length = offset[first + count + 1] - offset[first + count];
            ptrdiff_t common = shared_length(trunk, length, other, other_length);
            if (common == length) {
                trunk = other;
                length = common = other_length;
            }
            if (2 * common < length || 2 * common < other_length) break;
            shared[count] = common;
        }
        gather_path(&gathered, trunk, length);
        right_operand by_key = {gathered.keys, width * PANEL, PANEL, 1};
        right_operand by_channel = {gathered.values, PANEL, width, 0};
        for (ptrdiff_t h = 0; h < heads; h++) {
            by_key.base = gathered.keys + h * head_width * PANEL;
            product_rows(scores + h * head_step, step,
                         queries + first * query_stride + h * head_width, query_stride, 0, by_key,
                         count, padded_width(length), head_width, 0, 0, 0, &no_fetch);
        }
        if (first + count < rows) {
            ptrdiff_t next = offset[first + count], next_end = offset[first + count + 1];
            fetch_nodes(keys_values, path + next, 0, NODES_AHEAD, next_end - next, width);
        }
        for (ptrdiff_t i = 0; i < count; i++) {
            const int32_t *own = path + offset[first + i] + shared[i];
            ptrdiff_t own_count = offset[first + i + 1] - offset[first + i] - shared[i];
            float *row = scores + i * step;
            score_nodes(row + shared[i], head_step, queries + (first + i) * query_stride,
                        keys_values, own, own_count, width, head_width, columns);
            for (ptrdiff_t h = 0; h < heads; h++) {
                float *p = row + h * head_step;
                softmax_row(p, p, scale, none, 0, shared[i] + own_count, 0);
                // Apart, so that the product with the trunk sees zeros there.
                memcpy(own_weights + (h * TILE + i) * room, p + shared[i],
                       (size_t)own_count * sizeof(float));
                for (ptrdiff_t k = shared[i]; k < length; k++) p[k] = 0;
            }
        }
        for (ptrdiff_t h = 0; h < heads; h++) {
            float *results = out + first * width + h * head_width;
            by_channel.base = gathered.values + h * head_width;
            product_rows(results, width, scores + h * head_step, step, 0, by_channel, count,
                         head_width, length, 0, 0, 0, &no_fetch);
            for (ptrdiff_t i = 0; i < count; i++) {
                const int32_t *own = path + offset[first + i] + shared[i];
                ptrdiff_t own_count = offset[first + i + 1] - offset[first + i] - shared[i];
                add_values(results + i * width, own_weights + (h * TILE + i) * room, keys_values,
                           own, own_count, width, h * head_width, head_width);
            }
        }
    }
}
