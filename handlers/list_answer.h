// What the answers of all list routes share: caching headers, and the refusals of their parameters.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/api.h"
#include "internal/gpu/source.h"
#include "internal/wire/encode.h"

namespace gpumon::handlers {

bool WantsGzip(const Call& call);

// An answer with its caching headers: 304 when the client has it already.
http::Response TaggedResponse(const Call& call, const std::string& etag,
                              std::string_view content_type);
// Beside them the snapshot's Age.
http::Response ListResponse(const Call& call, const gpu::Got& got, const std::string& etag,
                            std::string_view content_type);
// An answer made for this request alone, compressed where that is wanted and worth it.
// A CSV has no place for what the envelope says: a stale or partial one has a Warning header.
void SendMade(Call& call, const gpu::Got& got, wire::Encoded encoded, const wire::Page& page,
              bool csv);

// Asks for all parts at once and, when the last has come, hands over on a worker thread what came
// of them, in their order: one after the other they could take several times the time of a request.
using GotAll = std::function<void(std::vector<Result<gpu::Got>>)>;
void GetAll(const CallPtr& call, std::span<const models::Part> parts,
            const std::optional<WallTime>& at, bool allow_stale, GotAll done);
using GotBoth = std::function<void(Result<gpu::Got> first, Result<gpu::Got> second)>;
void GetBoth(const CallPtr& call, const std::array<models::Part, 2>& parts,
             const std::optional<WallTime>& at, bool allow_stale, GotBoth done);
inline constexpr std::array kGpusAndProcesses = {models::Part::kGpus, models::Part::kProcesses};

// partial=abort
Status PartialRefused();
// `at` is a past instant; clocks differ a little.
std::optional<Status> FutureRefused(const Call& call, const std::optional<WallTime>& at);

}  // namespace gpumon::handlers
