#include "internal/gpu/text_claims.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "internal/gpu/identity.h"

namespace gpumon::gpu {
namespace {

using models::Text;

constexpr double kNever = -std::numeric_limits<double>::infinity();

}  // namespace

// By the others rows are told apart, or they are nobody's word. Those that hold a GPU stand
// together (HeldWorkloads).
template <class RowT>
bool TextClaims<RowT>::IsDisputable(std::size_t slot) {
  switch (static_cast<Text>(slot)) {
    case Text::kGpuId:
    case Text::kGpuName:
    case Text::kMigProfile:
    case Text::kDriverVersion:
    case Text::kPciBusId:
    case Text::kProcessName:
    case Text::kUser:
    case Text::kCommand:
      return true;
    case Text::kNamespace:
    case Text::kPod:
    case Text::kContainer:
      return std::is_same_v<RowT, models::GpuProcess>;
    default:
      return false;
  }
}

template <class RowT>
bool TextClaims<RowT>::Says(const Claim& claim, const Identity& said, std::size_t target) {
  if (claim.before || claim.target != target) return false;
  for (std::size_t slot = 0; slot < claim.texts.size(); ++slot) {
    if (IsDisputable(slot) && claim.texts[slot] != said.texts[slot]) return false;
  }
  return true;
}

template <class RowT>
void TextClaims<RowT>::Open(std::uint32_t row, const RowT* before) {
  std::vector<Claim>& claims = rows_[row];
  if (before != nullptr) claims.push_back({before->texts, 0, true, kNever});
}

template <class RowT>
void TextClaims<RowT>::Hear(std::uint32_t row, const RowT& its, const Identity& said,
                            std::size_t target, double at) {
  std::vector<Claim>& claims = rows_[row];
  const auto known = std::find_if(claims.begin(), claims.end(),
                                  [&](const Claim& claim) { return Says(claim, said, target); });
  if (known != claims.end()) {
    known->at = std::max(known->at, at);
    return;
  }
  Claim claim{{}, target, false, at};
  for (std::size_t slot = 0; slot < claim.texts.size(); ++slot) {
    const std::string_view text = said.texts[slot];
    if (!IsDisputable(slot) || text.empty()) continue;
    claim.texts[slot] = text == its.texts[slot] ? its.texts[slot] : arena_.Keep(text);
  }
  claims.push_back(claim);
}

template <class RowT>
double TextClaims<RowT>::TimeOf(const Claim& claim, const std::vector<Claim>& all,
                                std::uint32_t row, const RowTimes& times) {
  if (std::isfinite(claim.at)) return claim.at;
  if (!claim.before) return times.NewestOf(row, claim.target);
  double newest = kNever;
  times.ForEachTargetOf(row, [&](std::size_t target) {
    const bool claims = std::any_of(all.begin(), all.end(), [&](const Claim& one) {
      return !one.before && one.target == target;
    });
    if (!claims) newest = std::max(newest, times.NewestOf(row, target));
  });
  return newest;
}

// `claims` are the newest first.
template <class RowT>
void TextClaims<RowT>::Take(std::vector<Claim>& claims, RowT& row) {
  const auto best = [&](Text which, const auto& counts) {
    std::string_view found;
    double at = kNever;
    for (const Claim& claim : claims) {
      const std::string_view text = claim.texts[static_cast<std::size_t>(which)];
      if (text.empty() || !counts(claim)) continue;
      if (!found.empty() && claim.at < at) break;
      if (found.empty() || text < found) found = text;
      at = claim.at;
    }
    return found;
  };
  const auto any = [](const Claim&) { return true; };
  for (std::size_t slot = 0; slot < row.texts.size(); ++slot) {
    const auto which = static_cast<Text>(slot);
    if (which == Text::kNamespace || which == Text::kContainer || !IsDisputable(slot)) continue;
    if (const std::string_view text = best(which, any); !text.empty()) row.texts[slot] = text;
  }
  row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
  if constexpr (std::is_same_v<RowT, models::GpuProcess>) {
    const auto of_pod = [&](const Claim& claim) {
      return claim.texts[static_cast<std::size_t>(Text::kPod)] == row.text(Text::kPod);
    };
    row.set_text(Text::kNamespace, best(Text::kNamespace, of_pod));
    row.set_text(Text::kContainer, best(Text::kContainer, of_pod));
  }
}

template <class RowT>
void TextClaims<RowT>::Settle(const RowTimes& times, std::vector<RowT>& rows) {
  for (auto& [row, claims] : rows_) {
    for (Claim& claim : claims) claim.at = TimeOf(claim, claims, row, times);
    std::sort(claims.begin(), claims.end(),
              [](const Claim& a, const Claim& b) { return a.at > b.at; });
    Take(claims, rows[row]);
  }
  rows_.clear();
}

template class TextClaims<models::GpuMetrics>;
template class TextClaims<models::GpuProcess>;

}  // namespace gpumon::gpu
