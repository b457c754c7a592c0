// ordain hook: what coding agents start for each call of a tool, and what makes them do so.
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "cli/command.h"
#include "cli/hook_settings.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "vm/value/descriptor.h"

namespace ordain::cli {
namespace {

namespace fs = std::filesystem;
using agents::Client;

constexpr const char* kProgram = "ordain-hook";
constexpr std::uintmax_t kMostSettings = 4 * 1024 * 1024;

struct HookOptions {
  std::string socket, owner, timeout;
};

struct InstallOptions {
  std::string client, socket, owner;
  bool user = false, project = false, dry_run = false;
};

/// The program beside this one.
fs::path hook_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : self.parent_path() / kProgram;
}

/// Becomes `ordain-hook`. It returns only if that fails; exit code 2 with a text on standard error is
/// a denial for every client.
int run_hook(const std::string& client, const HookOptions& options) {
  const std::string program = hook_program().string();
  std::vector<std::string> words = {program, client};
  for (const auto& [name, value] : {std::pair{"--socket", &options.socket}, std::pair{"--owner", &options.owner},
                                    std::pair{"--timeout", &options.timeout}}) {
    if (value->empty()) continue;
    words.emplace_back(name);
    words.push_back(*value);
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  complain(fmt::format("denied, because {} cannot be started: {}", program, std::strerror(errno)));
  return kUsage;
}

// --- install

Error unusable(std::string message) { return {"usage", std::move(message)}; }

/// A directory from the environment, or one in the user's home.
Result<fs::path> home_directory(const char* variable, const char* in_home) {
  if (const char* named = variable != nullptr ? std::getenv(variable) : nullptr; named != nullptr && *named != '\0') {
    return fs::path(named);
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return unusable("HOME is not set, so the user's settings are unknown");
  return fs::path(home) / in_home;
}

Result<fs::path> settings_path(Client client, bool project) {
  struct Place {
    const char *variable, *folder, *file;
  };
  static constexpr Place kPlaces[] = {{"CLAUDE_CONFIG_DIR", ".claude", "settings.json"},
                                      {"CODEX_HOME", ".codex", "hooks.json"},
                                      {nullptr, ".gemini", "settings.json"}};
  const Place& place = kPlaces[static_cast<size_t>(client)];
  if (project) return fs::path(place.folder) / place.file;
  Result<fs::path> folder = home_directory(place.variable, place.folder);
  if (!folder) return folder.error();
  return *folder / place.file;
}

/// The socket that the hook will always ask. It is written into the settings, because the agent may
/// have a say in the environment of its hooks.
Result<std::string> socket_path(const std::string& given) {
  std::string path = given;
  if (const char* named = std::getenv("ORDAIN_SOCKET"); path.empty() && named != nullptr) path = named;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); path.empty() && runtime != nullptr && *runtime != '\0') {
    path = std::string(runtime) + "/ordain.sock";
  }
  if (path.empty()) return unusable("give --socket PATH: neither ORDAIN_SOCKET nor XDG_RUNTIME_DIR is set");
  if (!path.starts_with('/')) return unusable("--socket must be an absolute path");
  return path;
}

/// The number of a user who is named, or given by number.
Result<std::optional<uint32_t>> owner_number(const std::string& given) {
  if (given.empty()) return std::optional<uint32_t>();
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (error == std::errc() && end == given.data() + given.size()) return std::optional<uint32_t>(number);
  const passwd* user = ::getpwnam(given.c_str());
  if (user == nullptr) return unusable("--owner: there is no user " + given);
  return std::optional<uint32_t>(user->pw_uid);
}

/// The text of a file, or "" if there is none.
Result<std::string> read_settings(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return std::string();
  if (!fs::is_regular_file(status)) return Error{"unreadable", path.string() + " is not a regular file"};
  if (fs::file_size(path, error) > kMostSettings || error) {
    return Error{"unreadable", path.string() + " is too long for settings"};
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream.is_open() || stream.bad()) return Error{"unreadable", "cannot read " + path.string()};
  return text;
}

/// Writes a file that must not exist yet.
bool write_new_file(const fs::path& path, std::string_view text, mode_t mode) {
  vm::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  return file.is_open() && vm::write_all(file.number(), text) && ::fsync(file.number()) == 0 &&
         ::close(file.release()) == 0;
}

Error unwritable(const fs::path& path) {
  return {"unwritable", fmt::format("cannot write {}: {}", path.string(), std::strerror(errno))};
}

/// Copies the old settings to a new file beside them. @returns its path
Result<fs::path> back_up(const fs::path& path, std::string_view text) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return unwritable(path);
  for (int number = 1; number < 1000; ++number) {
    const fs::path copy = path.string() + ".before-ordain" + (number == 1 ? "" : "-" + std::to_string(number));
    if (write_new_file(copy, text, status.st_mode & 0777)) return copy;
    if (errno != EEXIST) return unwritable(copy);
  }
  return unwritable(path);
}

Result<void> write_settings(const fs::path& path, std::string_view before, const std::string& after) {
  std::error_code error;
  if (fs::exists(path, error)) {
    const Result<fs::path> copy = back_up(path, before);
    if (!copy) return copy.error();
    if (const Result<void> replaced = replace_file(path.string(), after); !replaced) return replaced.error();
    print_out("{}: added the hooks; the old settings are in {}\n", path.string(), copy->string());
    return {};
  }
  fs::create_directories(path.parent_path(), error);
  if (!write_new_file(path, after, 0600)) return unwritable(path);
  print_out("{}: written\n", path.string());
  return {};
}

constexpr const char* kNext[] = {
    "Claude Code reads it at its next start. It must be version 2.1.295 or later, which obeys `onFailure`.\n",
    "Start Codex, and trust the hooks with /hooks: it skips hooks that nobody trusted, without a word.\n",
    "Gemini CLI reads it at its next start; /hooks shows whether they are enabled.\n"};

int install(const InstallOptions& options) {
  const Client client = *agents::find_client(options.client);
  const fs::path program = hook_program();
  if (::access(program.c_str(), X_OK) != 0) {
    return fail(unusable(fmt::format("{} is not beside this program: {}", kProgram, std::strerror(errno))));
  }
  const Result<std::string> socket = socket_path(options.socket);
  if (!socket) return fail(socket.error());
  const Result<std::optional<uint32_t>> owner = owner_number(options.owner);
  if (!owner) return fail(owner.error());
  const Result<fs::path> path = settings_path(client, options.project);
  if (!path) return fail(path.error());
  const Result<std::string> before = read_settings(*path);
  if (!before) return fail(before.error());
  const Result<std::string> after = add_hooks(*before, client, hook_command(program.string(), client, *socket, *owner));
  if (!after) return fail({after.error().code, path->string() + ": " + after.error().message});
  if (hooks_are_off(*before)) print_error("warning: {} switches all hooks off (disableAllHooks)\n", path->string());
  if (options.dry_run) {
    write_out(*after);
    return kOk;
  }
  if (*after == *before) {
    print_out("{}: the hooks are installed already\n", path->string());
    return kOk;
  }
  if (const Result<void> written = write_settings(*path, *before, *after); !written) return fail(written.error());
  write_out(kNext[static_cast<size_t>(client)]);
  return kOk;
}

void add_install(Command parent) {
  auto options = std::make_shared<InstallOptions>();
  Command command = parent.add_command("install", "Make a coding agent ask the daemon, by its settings");
  command.add_option("CLIENT", options->client, "the coding agent").one_of({"claude", "codex", "gemini"}).required();
  Option user = command.add_flag("--user", options->user, "in the settings of this user (the default)");
  command.add_flag("--project", options->project, "in the settings of the current directory").excludes(user);
  command.add_option("--socket", options->socket, "the daemon's socket; default: ordain.sock in $XDG_RUNTIME_DIR")
      .names_file();
  command.add_option("--owner", options->owner, "the user who must own the socket; default: this user or root");
  command.add_flag("--dry-run", options->dry_run, "print the new settings, and write nothing");
  command.set_footer(
      "Other settings and hooks stay as they are, and the old file is kept beside the new one. Settings with comments\n"
      "are refused. docs/agents.md says what each client can hold.\n"
      "Exit codes: 0 installed, or installed already; 2 wrong usage, or settings that cannot be read or written.");
  command.set_action([options] { return install(*options); });
}

}  // namespace

void add_hook(Command parent) {
  Command hook = parent.add_command("hook", "Govern a coding agent: what it starts for each call of a tool");
  hook.require_command();
  for (const char* client : {"claude", "codex", "gemini"}) {
    auto options = std::make_shared<HookOptions>();
    Command command = hook.add_command(client, fmt::format("Answer one hook of {}, from standard input", client));
    command.add_option("--socket", options->socket, "the daemon's socket; default: ordain.sock in $XDG_RUNTIME_DIR")
        .names_file();
    command.add_option("--owner", options->owner, "the number of the user who must own the socket");
    command.add_option("--timeout", options->timeout, "seconds that the daemon may take, 1 to 20; default: 5");
    command.set_footer(
        "Becomes ordain-hook, which answers in the client's own terms. Without an answer of the\n"
        "daemon the call is denied. Exit codes: 0 answered, 2 denied because nothing could be read.");
    command.set_action([options, name = std::string(client)] { return run_hook(name, *options); });
  }
  add_install(hook);
}

}  // namespace ordain::cli
