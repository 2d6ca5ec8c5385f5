// gpuctl completion: what a shell completes, from the tables of commands and options.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "cmd/gpuctl/app.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// Scripts for bash 4 and later, and for zsh.
std::string BashCompletion(std::span<const Command> commands);
std::string ZshCompletion(std::span<const Command> commands);

config::Rows CompletionOptions();
int RunBashCompletion(const config::Values& values, std::ostream& out, std::ostream& err);
int RunZshCompletion(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kCompletionUsage = "";
inline constexpr std::string_view kCompletionDetails =
    R"(Prints a script with which the shell completes commands, flags and the words
that they take.

  bash  source <(gpuctl completion bash), in ~/.bashrc
  zsh   gpuctl completion zsh >"${fpath[1]}/_gpuctl", once, or
        source <(gpuctl completion zsh) behind compinit in ~/.zshrc

)";

}  // namespace gpumon::ctl
