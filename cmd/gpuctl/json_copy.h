// A document as text again.
#pragma once

#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {

// Numbers stay as they stood in the text they came from.
void Copy(const json::Value& value, json::Writer& writer);

}  // namespace gpumon::ctl
