// gpuctl man: manual pages, from the tables of commands and options.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "cmd/gpuctl/app.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// gpuctl(1), in roff with the man macros.
std::string ManPage(std::span<const Command> commands);
// gpuctl-COMMAND(1); the page of "get gpus" is gpuctl-get-gpus(1).
std::string ManPage(const Command& command);
std::string ManName(const Command& command);

config::Rows ManOptions();
int RunMan(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kManUsage = "[--directory DIRECTORY]";
inline constexpr std::string_view kManDetails =
    R"(Prints the manual page gpuctl(1), or writes it and one page for each command
into a directory, which is made where it is not there.

  gpuctl man | man -l -
  gpuctl man --directory ~/.local/share/man/man1

)";

}  // namespace gpumon::ctl
