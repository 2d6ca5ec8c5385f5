#include "internal/gpu/secret_token.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "internal/gpu/characters.h"

namespace gpumon::gpu {
namespace {

using std::string_view;

enum class Body : std::uint8_t { kAny, kWithDigit, kHex };

struct TokenShape {
  string_view prefix;
  string_view extra;  // beside letters and digits
  std::size_t least;  // characters after the prefix
  Body body;
};
// In the order of their first characters.
constexpr std::array kTokenShapes = {
    TokenShape{"1//0", "-_", 30, Body::kWithDigit},
    TokenShape{"AKIA", "", 12, Body::kWithDigit},
    TokenShape{"ASIA", "", 12, Body::kWithDigit},
    TokenShape{"AKID", "", 28, Body::kWithDigit},
    TokenShape{"AIza", "-_", 20, Body::kAny},
    TokenShape{"ABSK", "+/=", 40, Body::kWithDigit},
    TokenShape{"ATATT3x", "-_=", 20, Body::kAny},
    TokenShape{"ATCTT3x", "-_=", 20, Body::kAny},
    TokenShape{"ATBB", "", 28, Body::kWithDigit},
    TokenShape{"AGE-SECRET-KEY-1", "", 40, Body::kAny},
    TokenShape{"AGE-SECRET-KEY-PQ-1", "", 40, Body::kAny},
    TokenShape{"CCIPAT_", "_", 40, Body::kWithDigit},
    TokenShape{"GOCSPX-", "-_", 24, Body::kAny},
    TokenShape{"LTAI", "", 12, Body::kWithDigit},
    TokenShape{"NRAK-", "", 24, Body::kWithDigit},
    TokenShape{"PMAK-", "-", 40, Body::kWithDigit},
    TokenShape{"SWMTKN-1-", "-", 40, Body::kWithDigit},
    TokenShape{"SG.", "-_.", 20, Body::kAny},
    TokenShape{"SK", "", 32, Body::kHex},
    TokenShape{"api_org_", "", 30, Body::kAny},
    TokenShape{"api.telegram.org/bot", ":-_", 30, Body::kWithDigit},
    TokenShape{"bkua_", "", 40, Body::kHex},
    TokenShape{"cohere-", "", 32, Body::kWithDigit},
    TokenShape{"dapi", "", 32, Body::kHex},
    TokenShape{"dop_v1_", "", 16, Body::kAny},
    TokenShape{"doo_v1_", "", 16, Body::kAny},
    TokenShape{"dor_v1_", "", 16, Body::kAny},
    TokenShape{"dckr_pat_", "-_", 12, Body::kAny},
    TokenShape{"dp.pt.", "", 40, Body::kWithDigit},
    TokenShape{"dp.st.", "._", 40, Body::kWithDigit},
    TokenShape{"discord.com/api/webhooks/", "/-_", 20, Body::kWithDigit},
    TokenShape{"discordapp.com/api/webhooks/", "/-_", 20, Body::kWithDigit},
    TokenShape{"eyJ", "-_.=", 17, Body::kAny},  // JWT, and other base64 of JSON
    TokenShape{"e2b_", "", 40, Body::kHex},
    TokenShape{"fw_", "", 20, Body::kWithDigit},
    TokenShape{"figd_", "-_", 40, Body::kWithDigit},
    TokenShape{"ghp_", "", 12, Body::kAny},
    TokenShape{"gho_", "", 12, Body::kAny},
    TokenShape{"ghu_", "", 12, Body::kAny},
    TokenShape{"ghs_", "", 12, Body::kAny},
    TokenShape{"ghr_", "", 12, Body::kAny},
    TokenShape{"github_pat_", "_", 12, Body::kAny},
    TokenShape{"glpat-", "-_", 12, Body::kAny},
    TokenShape{"gldt-", "-_", 12, Body::kAny},
    TokenShape{"glrt-", "-_", 12, Body::kAny},
    TokenShape{"glptt-", "-_", 20, Body::kWithDigit},
    TokenShape{"glcbt-", "-_", 20, Body::kWithDigit},
    TokenShape{"glsoat-", "-_", 20, Body::kWithDigit},
    TokenShape{"glft-", "-_", 20, Body::kWithDigit},
    TokenShape{"glimt-", "-_", 20, Body::kWithDigit},
    TokenShape{"glagent-", "-_", 20, Body::kWithDigit},
    TokenShape{"gsk_", "", 16, Body::kAny},
    TokenShape{"glsa_", "_", 32, Body::kWithDigit},
    TokenShape{"hf_", "", 16, Body::kAny},
    TokenShape{"hvs.", "-_", 16, Body::kAny},
    TokenShape{"hvb.", "-_", 16, Body::kAny},
    TokenShape{"hvr.", "-_", 16, Body::kAny},
    TokenShape{"hooks.slack.com/services/", "/", 8, Body::kAny},
    TokenShape{"hooks.zapier.com/hooks/catch/", "/", 8, Body::kWithDigit},
    TokenShape{"key-", "", 32, Body::kHex},
    TokenShape{"lsv2_", "_", 16, Body::kWithDigit},
    TokenShape{"lin_api_", "", 32, Body::kWithDigit},
    TokenShape{"nvapi-", "-_", 16, Body::kAny},
    TokenShape{"ntn_", "", 40, Body::kWithDigit},
    TokenShape{"npm_", "", 20, Body::kWithDigit},
    TokenShape{"open.feishu.cn/open-apis/bot/v2/hook/", "-", 16, Body::kWithDigit},
    TokenShape{"open.larksuite.com/open-apis/bot/v2/hook/", "-", 16, Body::kWithDigit},
    TokenShape{"outlook.office.com/webhook/", "/-@", 32, Body::kWithDigit},
    TokenShape{"outlook.office365.com/webhook/", "/-@", 32, Body::kWithDigit},
    TokenShape{"pplx-", "", 40, Body::kWithDigit},
    TokenShape{"pcsk_", "_", 40, Body::kWithDigit},
    TokenShape{"pypi-", "-_", 20, Body::kWithDigit},
    TokenShape{"rpa_", "", 40, Body::kWithDigit},
    TokenShape{"r8_", "", 16, Body::kWithDigit},
    TokenShape{"rk_live_", "", 8, Body::kAny},
    TokenShape{"rubygems_", "", 32, Body::kHex},
    TokenShape{"sk-", "-_", 12, Body::kWithDigit},
    TokenShape{"secret_", "", 40, Body::kWithDigit},
    TokenShape{"sk_live_", "", 8, Body::kAny},
    TokenShape{"sk_test_", "", 8, Body::kAny},
    TokenShape{"sq0csp-", "-_", 22, Body::kWithDigit},
    TokenShape{"sq0atp-", "-_", 22, Body::kWithDigit},
    TokenShape{"shpat_", "", 16, Body::kWithDigit},
    TokenShape{"shpca_", "", 32, Body::kHex},
    TokenShape{"shppa_", "", 32, Body::kHex},
    TokenShape{"shpss_", "", 32, Body::kHex},
    TokenShape{"sbp_", "", 40, Body::kHex},
    TokenShape{"sntryu_", "", 40, Body::kHex},
    TokenShape{"sntrys_", "_+/=", 32, Body::kWithDigit},
    TokenShape{"tgp_v1_", "-_", 32, Body::kWithDigit},
    TokenShape{"tvly-", "-", 20, Body::kWithDigit},
    TokenShape{"tskey-", "-", 20, Body::kWithDigit},
    TokenShape{"wandb_v1_", "_", 32, Body::kWithDigit},
    TokenShape{"whsec_", "", 12, Body::kAny},
    TokenShape{"webhook.office.com/webhookb2/", "/-@", 32, Body::kWithDigit},
    TokenShape{"xai-", "", 40, Body::kWithDigit},
    TokenShape{"xoxa-", "-", 8, Body::kAny},
    TokenShape{"xoxb-", "-", 8, Body::kAny},
    TokenShape{"xoxc-", "-", 8, Body::kAny},
    TokenShape{"xoxd-", "-%+/=", 16, Body::kWithDigit},
    TokenShape{"xoxe-", "-", 16, Body::kWithDigit},
    TokenShape{"xoxp-", "-", 8, Body::kAny},
    TokenShape{"xoxr-", "-", 8, Body::kAny},
    TokenShape{"xoxs-", "-", 8, Body::kAny},
    TokenShape{"xapp-", "-", 8, Body::kAny},
    TokenShape{"ya29.", "-_", 10, Body::kAny},
};

// kFirst[c]: the first shape that begins with `c` or a later character.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, 129> first{};
  for (std::size_t c = 0; c < first.size(); ++c) {
    std::size_t i = 0;
    while (i < kTokenShapes.size() && static_cast<std::size_t>(kTokenShapes[i].prefix[0]) < c) ++i;
    first[c] = static_cast<std::uint8_t>(i);
  }
  return first;
}();
static_assert(std::is_sorted(kTokenShapes.begin(), kTokenShapes.end(),
                             [](const TokenShape& a, const TokenShape& b) {
                               return a.prefix[0] < b.prefix[0];
                             }));

// A decision looks no further than this, so a text full of beginnings stays linear.
constexpr std::size_t kDecisive = 64;

bool BelongsTo(const TokenShape& shape, char c) {
  return (shape.body == Body::kHex ? IsHex(c) : IsAlnum(c)) ||
         shape.extra.find(c) != string_view::npos;
}

bool Matches(const TokenShape& shape, string_view rest) {
  if (!rest.starts_with(shape.prefix)) return false;
  rest = rest.substr(shape.prefix.size(), kDecisive);
  const auto end =
      std::find_if_not(rest.begin(), rest.end(), [&](char c) { return BelongsTo(shape, c); });
  if (static_cast<std::size_t>(end - rest.begin()) < shape.least) return false;
  return shape.body == Body::kAny || std::any_of(rest.begin(), end, IsDigit);
}

}  // namespace

void FindKnownTokens(string_view text, TextSpans& spans) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsAlnum(text[i]) || (i > 0 && IsAlnum(text[i - 1]))) continue;
    const auto c = static_cast<unsigned char>(text[i]);
    for (std::size_t row = kFirst[c]; row < kFirst[c + 1U]; ++row) {
      const TokenShape& shape = kTokenShapes[row];
      if (!Matches(shape, text.substr(i))) continue;
      std::size_t end = i + shape.prefix.size();
      while (end < text.size() && BelongsTo(shape, text[end])) ++end;
      spans.push_back({i, end});
      i = end - 1;
      break;
    }
  }
}

}  // namespace gpumon::gpu
