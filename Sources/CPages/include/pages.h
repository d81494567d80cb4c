#pragma once

/// The text of a part of the pages, such as `stage.js`, which ends with a zero; NULL where there is none of that
/// name.
const char *page_part(const char *name);
