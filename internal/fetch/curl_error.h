// What libcurl's results mean here. Used inside internal/fetch alone.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "internal/base/status.h"

namespace gpumon::fetch {

// `text` is curl's error buffer: it goes to the detail only. `where` is a redacted URL.
Status StatusOf(CURLcode code, std::string_view text, std::string_view where);

}  // namespace gpumon::fetch
