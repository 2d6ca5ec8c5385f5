// The files of the dashboard as web/ was built: embedded in the program.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gpumon::dashboard {

struct Asset {
  std::string_view name;  // "index.html", "index-DBXb9U7J.css"; the others' names have their hash
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed
};

// By name. None where the program was built without Node.js, or with GPUMON_WEB=OFF.
std::span<const Asset> Assets();

// null: there is none of that name.
const Asset* Find(std::string_view name);

}  // namespace gpumon::dashboard
