#include "handlers/dashboard.h"

#include <map>
#include <string>
#include <utility>

#include "handlers/access.h"
#include "internal/base/text.h"
#include "internal/dashboard/assets.h"
#include "internal/http/encoding.h"

namespace gpumon::handlers {
namespace {

using dashboard::Asset;

constexpr std::string_view kBase = "<base href=\"/\"";
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors "
    "'self'";

constexpr std::string_view kNoPage = R"(<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>GPU Monitoring</title></head>
<body>
<h1>GPU Monitoring</h1>
<p>The server runs. It was built without its dashboard, which needs Node.js and npm at build time;
<code>make run</code> installs them.</p>
<p>All data is there as JSON: <a href="api">all routes</a>,
<a href="api/v1/gpu/metrics">all GPUs</a>, <a href="api/v1/gpu/summary">the fleet</a>.</p>
</body>
</html>
)";

struct Bodies {
  http::Body plain;
  http::Body gzip;
};

// They are sent as they are, and shared by all answers.
const Bodies& BodiesOf(const Asset& asset) {
  static const std::map<std::string_view, Bodies> kBodies = [] {
    std::map<std::string_view, Bodies> bodies;
    for (const Asset& one : dashboard::Assets()) {
      bodies[one.name] = {http::MakeBody(std::string(one.bytes)),
                          http::MakeBody(std::string(one.gzip))};
    }
    return bodies;
  }();
  return kBodies.at(asset.name);
}

bool TakesGzip(const Call& call) {
  const std::string* accepted = http::Find(call.request().headers, "Accept-Encoding");
  return accepted != nullptr && http::AcceptsGzip(*accepted);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "; q=0.000": what has it is refused.
bool IsRefused(std::string_view parameters) {
  const std::size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view value = Trimmed(parameters.substr(q + 2));
  return value.starts_with('0') && value.find_first_not_of("0.") == std::string_view::npos;
}

// All addresses of the page are below <base>.
std::string PageOf(std::string_view html, const std::string& base_path) {
  std::string page(html);
  const std::size_t at = page.find(kBase);
  if (at != std::string::npos) page.insert(at + kBase.size() - 2, base_path);
  return page;
}

}  // namespace

bool NamesHtml(std::string_view accept) {
  while (true) {
    const std::size_t comma = accept.find(',');
    const std::string_view range = accept.substr(0, comma);
    const std::size_t semicolon = range.find(';');
    const bool html = EqualsIgnoreCase(Trimmed(range.substr(0, semicolon)), "text/html");
    const bool refused =
        semicolon != std::string_view::npos && IsRefused(range.substr(semicolon + 1));
    if (html && !refused) return true;
    if (comma == std::string_view::npos) return false;
    accept.remove_prefix(comma + 1);
  }
}

bool WantsPage(const http::Request& request) {
  const std::string* accept = http::Find(request.headers, "Accept");
  return accept != nullptr && NamesHtml(*accept);
}

void SendPage(Call& call) {
  const Asset* const index = dashboard::Find("index.html");
  http::Response response;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"},
                      {"Content-Security-Policy", std::string(kPolicy)},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept"}};
  response.body =
      http::MakeBody(index == nullptr ? std::string(kNoPage)
                                      : PageOf(index->bytes, call.services().settings.base_path));
  call.Send(std::move(response));
}

void GetAsset(const CallPtr& call) {
  const Asset* const asset = dashboard::Find(call->path_parameters()[0]);
  if (asset == nullptr || asset->name == "index.html") {
    return call->SendError(Status{Code::kNotFound,
                                  "the dashboard has no such file; a page that was open while the "
                                  "server was replaced has to be loaded anew"});
  }
  http::Response response;
  response.headers = {{"Content-Type", std::string(asset->content_type)},
                      {"Cache-Control", "public, max-age=31536000, immutable"},
                      {"Vary", "Accept-Encoding"}};
  const Bodies& bodies = BodiesOf(*asset);
  if (TakesGzip(*call)) response.headers.push_back({"Content-Encoding", "gzip"});
  response.body = TakesGzip(*call) ? bodies.gzip : bodies.plain;
  call->Send(std::move(response));
}

}  // namespace gpumon::handlers
