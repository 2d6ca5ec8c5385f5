// The dashboard: the page at / and its files.
#pragma once

#include <string_view>

#include "handlers/api.h"

namespace gpumon::handlers {

// The header `Accept` names text/html, as browsers do that open a page: not by `*` alone, and not
// with q=0.
bool NamesHtml(std::string_view accept);
bool WantsPage(const http::Request& request);

// The page; where the program was built without one, a page that says so.
void SendPage(Call& call);
// Its files. Their names have a hash of what is in them, so they may be kept for ever.
void GetAsset(const CallPtr& call);

}  // namespace gpumon::handlers
