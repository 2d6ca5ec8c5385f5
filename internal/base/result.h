// Result<T> is a T or the Status that says why there is none.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "internal/base/status.h"

namespace gpumon {

template <class T>
using Result = tl::expected<T, Status>;

// return Error(Code::kNotFound, "no route /x; GET /api lists all routes");
inline tl::unexpected<Status> Error(Code code, std::string message, std::string detail = {}) {
  return tl::unexpected<Status>(Status{code, std::move(message), std::move(detail), 0});
}
inline tl::unexpected<Status> Error(Status status) {
  return tl::unexpected<Status>(std::move(status));
}

}  // namespace gpumon
