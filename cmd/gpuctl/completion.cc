#include "cmd/gpuctl/completion.h"

#include <algorithm>
#include <ostream>
#include <vector>

#include "cmd/gpuctl/link.h"

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

// Of a program that is a link to gpuctl, `name`: its words become those that gpuctl takes for them.
std::string LinkCases(std::span<const Command> commands) {
  return "  local choices=''\n  case $name:$index:$first in\n"
         "  flow:1:*) choices='health " +
         SecondWords(commands, "flow") +
         " --help --version' ;;\n  backend-ai-health-checker:1:*) choices='" +
         SecondWords(commands, "check") + R"( monitor help --help --version' ;;
  flow:*:ssh | flow:*:logs) second=$first first=flow index=$((index + 1)) ;;
  backend-ai-health-checker:*:monitor | backend-ai-health-checker:*:help) ;;
  backend-ai-health-checker:*) second=$first first=check index=$((index + 1)) ;;
  hakuriver.*) first=hakuriver second=${name#hakuriver.} index=$((index + 2)) ;;
  esac
)";
}

// What stands behind the words of a command.
std::string ArgumentCase(const Command& command) {
  const std::string first(First(command.name));
  const std::string second(Second(command.name));
  std::string out = "      " + first + "\\ " + (second.empty() ? "*" : second) +
                    ")\n        choices='" + FlagsOf(command) + "'\n";
  if (!command.words.empty()) {
    out += "        [ \"$index\" -ne 3 ] || choices='" + std::string(command.words) + " --help'\n";
  }
  out += "        case $previous in\n";
  for (const OptionRow& row : command.options()) {
    if (!row.hidden) out += ValuesOf(row);
  }
  return out + "        esac\n        ;;\n";
}

// The body that both shells share: `name` of the program, `first`, `second`, `previous` and
// `index`, the place of the word that is completed behind the program, become `choices`.
std::string Cases(std::span<const Command> commands) {
  const std::string firsts = Joined(FirstWords(commands));
  std::string out = LinkCases(commands) +
                    "  if [ -n \"$choices\" ]; then\n    :\n"
                    "  elif [ \"$index\" -eq 1 ]; then\n    choices='" +
                    firsts + " --help --version'\n" +
                    "  elif [ \"$first\" = help ]; then\n    case $index:$second in\n      2:*) "
                    "choices='" +
                    firsts + "' ;;\n";
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
  for (const Command& command : commands) out += ArgumentCase(command);
  return out + "      esac\n      ;;\n    esac\n  fi\n";
}

std::string ProgramNames() {
  std::string names = "gpuctl";
  for (const std::string_view link : LinkNames()) names += ' ' + std::string(link);
  return names;
}

}  // namespace

std::string BashCompletion(std::span<const Command> commands) {
  return R"(# bash completion of gpuctl: source <(gpuctl completion bash)
_gpuctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local first=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-} index=$COMP_CWORD
  local name=${COMP_WORDS[0]##*/}
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
complete -o filenames -o bashdefault -F _gpuctl )" +
         ProgramNames() + '\n';
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
  local links=')" +
         ProgramNames().substr(7) + R"('
  local first=${all[2]-} second=${all[3]-} previous=${all[CURRENT - 1]}
  local current=${all[CURRENT]} name=${all[1]:t}
  if [[ $current == --*=* ]]; then
    previous=${current%%=*}
    compset -P 1 '*='
  fi
  if [ "$index" -eq 1 ] && [[ " $links " != *" $name "* ]]; then
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
compdef _gpuctl )" +
         ProgramNames() + R"(
if [ "$funcstack[1]" = _gpuctl ]; then
  _gpuctl "$@"
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
