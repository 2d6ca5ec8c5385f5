#include "cmd/gpuctl/completion.h"

#include <algorithm>
#include <ostream>
#include <vector>

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

std::string_view First(std::string_view name) {
  return name.substr(0, name.find(' '));
}

// "" where the name is one word.
std::string_view Second(std::string_view name) {
  const std::size_t blank = name.find(' ');
  return blank == std::string_view::npos ? std::string_view() : name.substr(blank + 1);
}

// Each first word once, and help.
std::vector<std::string_view> FirstWords(std::span<const Command> commands) {
  std::vector<std::string_view> words;
  for (const Command& command : commands) {
    if (std::find(words.begin(), words.end(), First(command.name)) == words.end()) {
      words.push_back(First(command.name));
    }
  }
  words.push_back("help");
  return words;
}

std::string Joined(const std::vector<std::string_view>& words) {
  std::string all;
  for (const std::string_view word : words) all += (all.empty() ? "" : " ") + std::string(word);
  return all;
}

std::string SecondWords(std::span<const Command> commands, std::string_view first) {
  std::vector<std::string_view> words;
  for (const Command& command : commands) {
    if (First(command.name) == first && !Second(command.name).empty()) {
      words.push_back(Second(command.name));
    }
  }
  return Joined(words);
}

std::string FlagsOf(const Command& command) {
  std::vector<std::string_view> words;
  for (const OptionRow& row : command.options()) {
    if (row.hidden) continue;
    words.push_back(row.flag);
    if (!row.letter.empty()) words.push_back(row.letter);
  }
  words.push_back("--help");
  words.push_back("--version");
  return Joined(words);
}

// What a flag takes, as a case of a shell; "" where nobody can say.
std::string ValuesOf(const OptionRow& row) {
  std::string line;
  if (row.kind == Kind::kWord) {
    std::string words(row.allowed);
    std::replace(words.begin(), words.end(), '|', ' ');
    line = "choices='" + words + "'";
  } else if (row.kind == Kind::kPath) {
    line = "choices=@files";
  } else if (row.kind == Kind::kBool || !row.bare.empty()) {
    return {};
  } else {
    line = "choices=@nothing";
  }
  const std::string letter = row.letter.empty() ? "" : '|' + std::string(row.letter);
  return "        " + std::string(row.flag) + letter + ") " + line + " ;;\n";
}

// The body that both shells share: `first`, `second`, `previous` and `index`, the place of the
// word that is completed behind the program, become `choices`.
std::string Cases(std::span<const Command> commands) {
  std::string out = "  local choices=''\n  if [ \"$index\" -eq 1 ]; then\n    choices='" +
                    Joined(FirstWords(commands)) + " --help --version'\n" +
                    "  elif [ \"$first\" = help ]; then\n    case $index:$second in\n      2:*) "
                    "choices='" +
                    Joined(FirstWords(commands)) + "' ;;\n";
  std::string seconds;
  for (const std::string_view first : FirstWords(commands)) {
    const std::string words = SecondWords(commands, first);
    if (words.empty()) continue;
    const std::string name(first);
    out.append("      3:").append(name).append(") choices='").append(words).append("' ;;\n");
    seconds.append("    ").append(name).append(":2) choices='");
    seconds.append(words).append(" --help' ;;\n");
  }
  out += "    esac\n  else\n    case $first:$index in\n" + seconds +
         "    *)\n      case \"$first $second\" in\n";
  for (const Command& command : commands) {
    const std::string name(command.name);
    out += "      " +
           (Second(name).empty() ? name + "\\ *"
                                 : std::string(First(name)) + "\\ " + std::string(Second(name))) +
           ")\n        choices='" + FlagsOf(command) + "'\n        case $previous in\n";
    for (const OptionRow& row : command.options()) {
      if (!row.hidden) out += ValuesOf(row);
    }
    out += "        esac\n        ;;\n";
  }
  return out + "      esac\n      ;;\n    esac\n  fi\n";
}

}  // namespace

std::string BashCompletion(std::span<const Command> commands) {
  return R"(# bash completion of gpuctl: source <(gpuctl completion bash)
_gpuctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local first=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-} index=$COMP_CWORD
  # bash takes --flag=word for three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
)" + Cases(commands) +
         R"(  case $choices in
  @files) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  @nothing) COMPREPLY=() ;;
  *) mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current") ;;
  esac
}
complete -o filenames -o bashdefault -F _gpuctl gpuctl
)";
}

std::string ZshCompletion(std::span<const Command> commands) {
  std::string described;
  for (const std::string_view first : FirstWords(commands)) {
    std::string summary = "Prints the text of a command.";
    for (const Command& command : commands) {
      if (command.name == first) summary = command.summary;
      if (First(command.name) == first && command.name != first) {
        summary = SecondWords(commands, first);
      }
    }
    described += "    '" + std::string(first) + ':' + summary + "'\n";
  }
  return R"(#compdef gpuctl
# zsh completion of gpuctl: source <(gpuctl completion zsh)
_gpuctl() {
  local all=("${words[@]}") index=$((CURRENT - 1))
  local first=${all[2]-} second=${all[3]-} previous=${all[CURRENT - 1]}
  local current=${all[CURRENT]}
  if [[ $current == --*=* ]]; then
    previous=${current%%=*}
    compset -P 1 '*='
  fi
  if [ "$index" -eq 1 ]; then
    local commands=(
)" + described +
         R"(    )
    _describe command commands
    return
  fi
)" + Cases(commands) +
         R"(  case $choices in
  @files) _files ;;
  @nothing) _message 'a value' ;;
  *) compadd -- ${=choices} ;;
  esac
}
if [ "$funcstack[1]" = _gpuctl ]; then
  _gpuctl "$@"
else
  compdef _gpuctl gpuctl
fi
)";
}

config::Rows CompletionOptions() {
  return {};
}

int RunBashCompletion(const config::Values&, std::ostream& out, std::ostream&) {
  out << BashCompletion(Commands());
  return kWell;
}

int RunZshCompletion(const config::Values&, std::ostream& out, std::ostream&) {
  out << ZshCompletion(Commands());
  return kWell;
}

}  // namespace gpumon::ctl
