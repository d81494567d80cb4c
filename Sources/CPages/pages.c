// The pages' parts as strings: the programs carry them and need no files.
#include "include/pages.h"

#include <stddef.h>
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char style_css[] = {
#embed "style.css" suffix(, 0)
};
static const char stage_js[] = {
#embed "stage.js" suffix(, 0)
};
static const char shapes_js[] = {
#embed "shapes.js" suffix(, 0)
};
static const char track_js[] = {
#embed "track.js" suffix(, 0)
};
static const char chart_js[] = {
#embed "chart.js" suffix(, 0)
};
static const char live_html[] = {
#embed "live.html" suffix(, 0)
};
static const char live_js[] = {
#embed "live.js" suffix(, 0)
};
static const char report_html[] = {
#embed "report.html" suffix(, 0)
};
static const char report_js[] = {
#embed "report.js" suffix(, 0)
};

static const struct {
    const char *name;
    const char *text;
} parts[] = {
    {"style.css", style_css}, {"stage.js", stage_js}, {"shapes.js", shapes_js},
    {"track.js", track_js},   {"chart.js", chart_js}, {"live.html", live_html},
    {"live.js", live_js},     {"report.html", report_html}, {"report.js", report_js},
};

const char *page_part(const char *name) {
    for (size_t index = 0; index < sizeof parts / sizeof parts[0]; index++)
        if (strcmp(parts[index].name, name) == 0) return parts[index].text;
    return NULL;
}
