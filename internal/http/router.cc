#include "internal/http/router.h"

#include <pistache/http.h>
#include <pistache/peer.h>
#include <pistache/router.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "internal/base/text.h"
#include "internal/http/encoding.h"

namespace gpumon::http {
namespace {

namespace ph = Pistache::Http;
namespace rest = Pistache::Rest;

constexpr std::array<std::string_view, 9> kMethods = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"};

// The routes of one path.
struct Endpoint {
  std::string pattern;
  std::map<std::string, int, std::less<>> methods;  // to the index of the route
  std::string allow;
};

bool HasParam(std::string_view pattern) {
  return pattern.find('{') != std::string_view::npos;
}

// "/nodes/{node}/" -> "/nodes/:node": Pistache's spelling, and what Pistache cannot tell apart.
std::string PistachePattern(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '{') {
      out += ':';
    } else if (c != '}') {
      out += c;
    }
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

std::string_view TakeSegment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// The raw values of `{name}` when `path` is `pattern` byte for byte.
std::optional<std::vector<std::string_view>> MatchSegments(std::string_view pattern,
                                                           std::string_view path) {
  std::vector<std::string_view> values;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = TakeSegment(pattern);
    const std::string_view have = TakeSegment(path);
    if (want.size() > 2 && want.front() == '{') {
      if (have.empty()) return std::nullopt;
      values.push_back(have);
    } else if (want != have) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return values;
}

std::optional<std::string> DecodeParam(std::string_view raw) {
  std::optional<std::string> value = PercentDecode(raw, false);
  if (!value || !IsValidUtf8(*value) || *value == "." || *value == "..") return std::nullopt;
  const bool control = std::any_of(value->begin(), value->end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return control ? std::nullopt : value;
}

// What byte-for-byte matching rules out whatever the routes are.
std::optional<Verdict::Kind> RefusePath(std::string_view path) {
  if (path.empty() || path.front() != '/') return Verdict::Kind::kNotFound;
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::string_view escape = path.substr(at, 3);
    if (escape == "%2f" || escape == "%2F" || escape == "%00") return Verdict::Kind::kBadPath;
  }
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view segment = TakeSegment(rest);
    const bool last = rest.empty();
    if ((segment.empty() && !last) || segment == "." || segment == "..") {
      return Verdict::Kind::kNotFound;
    }
  }
  return std::nullopt;
}

// Lets a map of strings be asked with a view.
struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

// Where a Pistache route's handler leaves its answer: the handler runs inside route().
thread_local const std::vector<const Endpoint*>* found = nullptr;

// Never serves: Router::route wants a handler for its response writer.
class NoHandler final : public ph::Handler {
 public:
  HTTP_PROTOTYPE(NoHandler)
  void onRequest(const ph::Request& /*request*/, ph::ResponseWriter /*response*/) override {}
};

}  // namespace

struct Router::Tables {
  const std::vector<Route> routes;
  const std::string base_path;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  // By Pistache's pattern. Several only when they differ in a trailing slash.
  std::map<std::string, std::vector<const Endpoint*>> groups;
  // Pistache's verdict on every path without parameters, asked once: its router runs a regular
  // expression over the path each time, which would cost more than the rest of a request.
  std::unordered_map<std::string, const Endpoint*, ViewHash, std::equal_to<>> fixed;
  // route() is not const, but changes nothing when the method is known to it: it always is GET.
  mutable rest::Router router;
  mutable NoHandler no_handler;
  std::string allow_any;

  Tables(const std::vector<Route>& given, std::string base)
      : routes(given), base_path(std::move(base)) {
    for (std::size_t i = 0; i < routes.size(); ++i) Add(routes[i], static_cast<int>(i));
    for (auto& endpoint : endpoints) Finish(*endpoint);
    for (auto& [pattern, group] : groups) {
      router.addRoute(
          ph::Method::Get, pattern,
          // The signature is Pistache's. NOLINTNEXTLINE(performance-unnecessary-value-param)
          [&members = group](const rest::Request& /*request*/, ph::ResponseWriter /*response*/) {
            found = &members;
            return rest::Route::Result::Ok;
          });
    }
    for (const auto& endpoint : endpoints) {
      if (HasParam(endpoint->pattern)) continue;
      const Endpoint* heard = Ask(endpoint->pattern);
      if (heard != endpoint.get()) {
        throw std::invalid_argument("the router does not find its own route " + endpoint->pattern);
      }
      fixed.emplace(endpoint->pattern, heard);
    }
  }

  void Add(const Route& route, int index) {
    const auto same = std::find_if(endpoints.begin(), endpoints.end(),
                                   [&](const auto& e) { return e->pattern == route.path; });
    Endpoint* endpoint = nullptr;
    if (same != endpoints.end()) {
      endpoint = same->get();
    } else {
      endpoint = endpoints.emplace_back(std::make_unique<Endpoint>()).get();
      endpoint->pattern = route.path;
      groups[PistachePattern(route.path)].push_back(endpoint);
    }
    for (const std::string& method : route.methods) {
      if (!endpoint->methods.emplace(method, index).second) {
        throw std::invalid_argument("two routes for " + method + " " + route.path);
      }
    }
  }

  void Finish(Endpoint& endpoint) {
    const auto get = endpoint.methods.find("GET");
    if (get != endpoint.methods.end()) endpoint.methods.emplace("HEAD", get->second);
    for (const std::string_view method : kMethods) {
      if (method != "OPTIONS" && endpoint.methods.find(method) == endpoint.methods.end()) continue;
      endpoint.allow += (endpoint.allow.empty() ? "" : ", ") + std::string(method);
    }
    // `OPTIONS *` allows what any path allows.
    std::string any;
    for (const std::string_view method : kMethods) {
      const auto has = [&](const auto& e) { return e->methods.count(std::string(method)) > 0; };
      if (method != "OPTIONS" && std::none_of(endpoints.begin(), endpoints.end(), has)) continue;
      any += (any.empty() ? "" : ", ") + std::string(method);
    }
    allow_any = any;
  }

  // Pistache's answer for a path, checked byte for byte; null when there is none.
  const Endpoint* Ask(std::string_view path) const {
    constexpr std::size_t kRequestBytes = 1 << 16;
    static thread_local ph::RequestParser parser(kRequestBytes);
    parser.reset();
    std::string line = "GET ";
    line.append(path).append(" HTTP/1.1\r\n\r\n");
    if (!parser.feed(line.data(), line.size())) return nullptr;
    if (parser.parse() != ph::Private::State::Done) return nullptr;
    found = nullptr;
    // No transport and no peer: whatever Pistache sends through it goes nowhere.
    ph::ResponseWriter nowhere(ph::Version::Http11, nullptr, &no_handler,
                               std::weak_ptr<Pistache::Tcp::Peer>());
    if (router.route(parser.request, std::move(nowhere)) != rest::Route::Status::Match) {
      return nullptr;
    }
    const auto* group = std::exchange(found, nullptr);
    if (group == nullptr) return nullptr;
    const auto it = std::find_if(group->begin(), group->end(), [&](const Endpoint* e) {
      return MatchSegments(e->pattern, path).has_value();
    });
    return it == group->end() ? nullptr : *it;
  }

  const Endpoint* Lookup(std::string_view path) const {
    const auto it = fixed.find(path);
    if (it != fixed.end()) return it->second;
    try {
      return Ask(path);
    } catch (const std::exception&) {
      return nullptr;  // Pistache throws for some paths it does not know
    }
  }
};

Router::Router(const std::vector<Route>& routes, std::string base_path)
    : tables_(std::make_unique<Tables>(routes, std::move(base_path))) {}
Router::~Router() = default;

Verdict Router::Find(std::string_view method, std::string_view path) const {
  Verdict verdict;
  const bool known = std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
  if (!known) {
    verdict.kind = Verdict::Kind::kUnknownMethod;
    return verdict;
  }
  if (path == "*") {
    verdict.kind = Verdict::Kind::kOptions;
    verdict.allow = tables_->allow_any;
    return verdict;
  }
  const std::string& base = tables_->base_path;
  // A preflight tells a page of another origin that it may read the 404 that follows.
  if (method == "OPTIONS") {
    verdict.kind = Verdict::Kind::kOptions;
    verdict.allow = "GET, HEAD, OPTIONS";
  }
  if (path.substr(0, base.size()) != base) return verdict;
  path.remove_prefix(base.size());
  if (path.empty()) path = "/";
  if (const auto refused = RefusePath(path)) {
    verdict.kind = *refused;
    return verdict;
  }
  const Endpoint* endpoint = tables_->Lookup(path);
  if (endpoint == nullptr) return verdict;
  const auto it = endpoint->methods.find(method);
  if (it == endpoint->methods.end()) {
    verdict.kind = method == "OPTIONS" ? Verdict::Kind::kOptions : Verdict::Kind::kWrongMethod;
    verdict.allow = endpoint->allow;
    return verdict;
  }
  if (HasParam(endpoint->pattern)) {
    const auto raw_values = MatchSegments(endpoint->pattern, path);
    for (const std::string_view raw : *raw_values) {
      std::optional<std::string> value = DecodeParam(raw);
      if (!value) {
        verdict.kind = Verdict::Kind::kBadPath;
        return verdict;
      }
      verdict.match.params.push_back(*std::move(value));
    }
  }
  verdict.kind = Verdict::Kind::kMatch;
  verdict.match.route = it->second;
  verdict.route = &tables_->routes[static_cast<std::size_t>(it->second)];
  return verdict;
}

}  // namespace gpumon::http
