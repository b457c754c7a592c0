// shell_table.cc holds the tables of programs that run others. docs/functions.md is generated from
// them, so that it names what the code knows.
#include "stdlib/shell_table.h"

#include <algorithm>
#include <iterator>

namespace ordain::stdlib::shell {
namespace {

constexpr Runner kRunners[] = {
    {.name = "env",
     .flags = "i0v",
     .with_value = "uC",
     .long_flags = " --ignore-environment --null --debug ",
     .long_values = " --unset --chdir ",
     .assigns = true},
    {.name = "sudo",
     .flags = "AbEHKkNnPS",
     .with_value = "CDghpRTtUru",
     .long_flags = " --askpass --background --preserve-env --set-home --non-interactive --stdin --preserve-groups ",
     .long_values = " --user --group --host --prompt --chdir --chroot --close-from --command-timeout --role --type "
                    "--preserve-env ",
     .assigns = true,
     .resumes = true},
    {.name = "doas", .flags = "n", .with_value = "u"},
    {.name = "timeout",
     .flags = "vfp",
     .with_value = "ks",
     .long_flags = " --preserve-status --foreground --verbose ",
     .long_values = " --kill-after --signal ",
     .before = 1},
    {.name = "nice", .with_value = "n", .long_values = " --adjustment ", .numbers = true},
    {.name = "ionice", .flags = "t", .with_value = "cn", .long_values = " --class --classdata "},
    {.name = "nohup"},
    {.name = "setsid", .flags = "cfw", .long_flags = " --ctty --fork --wait "},
    {.name = "stdbuf", .with_value = "ioe", .long_values = " --input --output --error "},
    {.name = "time",
     .flags = "pvqa",
     .with_value = "fo",
     .long_flags = " --portability --verbose --quiet --append ",
     .long_values = " --format --output "},
    {.name = "xargs",
     .flags = "0prtxo",
     .with_value = "adEILnPs",
     .long_flags = " --null --interactive --no-run-if-empty --verbose --exit --open-tty --max-lines ",
     .long_values = " --arg-file --delimiter --max-args --max-procs --max-lines --max-chars "},
    {.name = "command", .flags = "p"},
    {.name = "builtin"},
    {.name = "exec", .flags = "cl", .with_value = "a"},
    {.name = "busybox"},
    {.name = "toybox"},
};

constexpr Asker kAskers[] = {
    {.name = "ip", .words = " exec -batch --batch "},
    {.name = "nc", .letters = "ec"},
    {.name = "ncat", .letters = "ec"},
    {.name = "netcat", .letters = "ec"},
    {.name = "nc.traditional", .letters = "ec"},
    {.name = "nc.openbsd", .letters = "ec"},
};

constexpr std::string_view kShells[] = {"ash", "bash", "dash", "sh"};

constexpr std::string_view kOtherShells[] = {"csh", "elvish", "fish", "hush", "ksh",   "lksh", "loksh", "mksh",
                                             "msh", "nu",     "oksh", "osh",  "pdksh", "posh", "pwsh",  "rbash",
                                             "rc",  "rksh",   "rzsh", "tcsh", "xonsh", "yash", "ysh",   "zsh"};

// These run others in ways that are not followed. The names are in the order of the alphabet.
constexpr std::string_view kRefused[] = {"aa-exec",
                                         "abduco",
                                         "at",
                                         "autossh",
                                         "batch",
                                         "bwrap",
                                         "byobu",
                                         "caffeinate",
                                         "capsh",
                                         "catchsegv",
                                         "ccache",
                                         "cgexec",
                                         "choom",
                                         "chpst",
                                         "chroot",
                                         "chronic",
                                         "chrt",
                                         "coreutils",
                                         "cpulimit",
                                         "daemon",
                                         "daemonize",
                                         "dbus-launch",
                                         "dbus-run-session",
                                         "distcc",
                                         "dtach",
                                         "dumb-init",
                                         "eatmydata",
                                         "entr",
                                         "envdir",
                                         "envuidgid",
                                         "exec.d",
                                         "execlineb",
                                         "expect",
                                         "fakechroot",
                                         "fakeroot",
                                         "faketime",
                                         "firejail",
                                         "flock",
                                         "gdb",
                                         "gosu",
                                         "hyperfine",
                                         "i386",
                                         "icecc",
                                         "ifne",
                                         "lckdo",
                                         "ld.so",
                                         "linux32",
                                         "linux64",
                                         "ltrace",
                                         "machinectl",
                                         "mispipe",
                                         "mosh",
                                         "newgrp",
                                         "nocache",
                                         "nsenter",
                                         "nsjail",
                                         "numactl",
                                         "parallel",
                                         "pee",
                                         "perf",
                                         "pgrphack",
                                         "pkexec",
                                         "prlimit",
                                         "proot",
                                         "proxychains",
                                         "rlwrap",
                                         "rsh",
                                         "run-parts",
                                         "run0",
                                         "runcon",
                                         "runuser",
                                         "sccache",
                                         "schroot",
                                         "screen",
                                         "script",
                                         "sem",
                                         "setarch",
                                         "setlock",
                                         "setpriv",
                                         "setuidgid",
                                         "sg",
                                         "socat",
                                         "softlimit",
                                         "ssh",
                                         "ssh-agent",
                                         "sshpass",
                                         "start-stop-daemon",
                                         "strace",
                                         "su",
                                         "su-exec",
                                         "sudoedit",
                                         "systemd-cat",
                                         "systemd-inhibit",
                                         "systemd-nspawn",
                                         "systemd-run",
                                         "taskset",
                                         "tini",
                                         "tmux",
                                         "torify",
                                         "torsocks",
                                         "trickle",
                                         "tsocks",
                                         "uclampset",
                                         "unbuffer",
                                         "unshare",
                                         "valgrind",
                                         "watch",
                                         "watchexec",
                                         "x86_64",
                                         "xvfb-run",
                                         "zrun"};

// Names that begin with these are refused as well.
constexpr std::string_view kRefusedPrefixes[] = {"ld-linux", "ld-musl", "qemu-", "s6-"};

// On systems with tools of their own, GNU's have a `g` before their names.
constexpr std::string_view kGnuTools = " chroot env find nice nohup runcon stdbuf time timeout xargs ";

constexpr std::string_view kActions = " -exec -execdir -ok -okdir ";

// What every `find` that knows the word reads with one argument, or with none.
constexpr std::string_view kWithValue =
    " -name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -newer -anewer -cnewer -samefile "
    "-mtime -ctime -atime -mmin -cmin -amin -maxdepth -mindepth -size -user -group -uid -gid -perm -type -links -inum "
    "-fstype -regextype -printf ";
constexpr std::string_view kAlone =
    " -print -print0 -delete -prune -quit -ls -a -and -o -or -not -mount -xdev -empty -readable -writable -executable "
    "-follow -daystart -noleaf -nouser -nogroup -true -false -H -L -P ";

template <size_t Count>
bool is_among(std::string_view name, const std::string_view (&list)[Count]) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool is_known(std::string_view name) {
  return name == "find" || find_runner(name) != nullptr || find_asker(name) != nullptr || is_shell(name) ||
         is_refused(name);
}

// Takes away what a distribution adds to the name of one program among several that it offers.
std::string_view without_variant(std::string_view name) {
  for (std::string_view each : {".distrib", ".static", "-static", ".orig", ".real", ".old", ".ws", "-rs"}) {
    if (name.ends_with(each)) return name.substr(0, name.size() - each.size());
  }
  const size_t last = name.find_last_not_of("0123456789.");
  if (last == std::string_view::npos) return name;
  return name.substr(0, last + (name[last] == '-' ? 0 : 1));
}

// Lists names in code, in lines of up to 100 columns that begin with `start`.
void put_names(std::string& out, std::string_view start, auto begin, auto end, auto name_of) {
  std::string line(start);
  for (auto at = begin; at != end; ++at) {
    const bool last = std::next(at) == end;
    const std::string name = "`" + std::string(name_of(*at)) + (last ? "`." : "`,");
    if (line.size() + 1 + name.size() > 100) {
      out += line + "\n";
      line = " ";
    }
    line += " " + name;
  }
  out += line + "\n";
}

}  // namespace

std::string_view tool_of(std::string_view name) {
  if (is_known(name)) return name;
  const std::string_view bare = without_variant(name);
  if (is_known(bare)) return bare;
  return bare.starts_with('g') && is_listed(kGnuTools, bare.substr(1)) ? bare.substr(1) : name;
}

const Runner* find_runner(std::string_view tool) {
  const Runner* found =
      std::find_if(std::begin(kRunners), std::end(kRunners), [&](const Runner& each) { return each.name == tool; });
  return found == std::end(kRunners) ? nullptr : found;
}

const Asker* find_asker(std::string_view tool) {
  const Asker* found =
      std::find_if(std::begin(kAskers), std::end(kAskers), [&](const Asker& each) { return each.name == tool; });
  return found == std::end(kAskers) ? nullptr : found;
}

bool is_shell(std::string_view tool) { return is_among(tool, kShells); }

bool is_refused(std::string_view tool) {
  return is_among(tool, kRefused) || is_among(tool, kOtherShells) ||
         std::any_of(std::begin(kRefusedPrefixes), std::end(kRefusedPrefixes),
                     [&](std::string_view each) { return tool.starts_with(each); });
}

bool is_listed(std::string_view list, std::string_view word, bool shortened) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    if (at > 0 && list[at - 1] == ' ' && (shortened || list.substr(at + word.size()).starts_with(' '))) return true;
  }
  return false;
}

FindWord find_word(std::string_view word) {
  if (is_listed(kActions, word)) return FindWord::action;
  if (is_listed(kWithValue, word)) return FindWord::with_value;
  return is_listed(kAlone, word) ? FindWord::alone : FindWord::unknown;
}

std::string runners_markdown() {
  const auto text = [](std::string_view name) { return name; };
  const auto name = [](const auto& each) { return each.name; };
  const auto prefix = [](std::string_view each) { return std::string(each) + "..."; };
  std::string out =
      "\n"
      "`shell.programs` knows these programs by the last part of their paths, also as `gfind`,\n"
      "`bash5.2`, `find.distrib` or `busybox.static`:\n"
      "\n";
  put_names(out, "- Followed to the program that they run, besides `find`:", std::begin(kRunners), std::end(kRunners),
            name);
  put_names(out, "- Shells whose line after `-c` is read; a fault if the name has a version:", std::begin(kShells),
            std::end(kShells), text);
  put_names(out, "- A fault if their words may ask for a program:", std::begin(kAskers), std::end(kAskers), name);
  put_names(out, "- Always a fault, as other shells:", std::begin(kOtherShells), std::end(kOtherShells), text);
  put_names(out, "- Always a fault, as they run others:", std::begin(kRefused), std::end(kRefused), text);
  put_names(out, "- Always a fault, by how the name begins:", std::begin(kRefusedPrefixes), std::end(kRefusedPrefixes),
            prefix);
  return out;
}

}  // namespace ordain::stdlib::shell
