// freeze_file.cc reads, checks and replaces frozen.json.
#include "runtime/state/freeze_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

#include "ordain/json.h"
#include "ordain/schema.h"
#include "runtime/audit/json_line.h"
#include "runtime/identity/text.h"
#include "runtime/sqlite/sqlite.h"
#include "vm/value/descriptor.h"

namespace ordain::state {
namespace {

constexpr std::string_view kFreezeFile = "frozen.json";
constexpr size_t kMostFreezeBytes = 4 << 20;

std::string freeze_path(const std::string& directory) { return sqlite::path_in(directory, kFreezeFile); }

Error unreadable(const std::string& path, const char* why) {
  return Error{"database_unreadable", fmt::format("{}: {}", path, why)};
}

Error unwritable_freezes(const std::string& path) {
  return Error{"database_unwritable", fmt::format("{}: {}", path, std::strerror(errno))};
}

int64_t nanos_of(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

Result<std::string> read_bytes(int descriptor, const std::string& path) {
  std::string out;
  char piece[16384];
  for (;;) {
    const ssize_t got = ::read(descriptor, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, std::strerror(errno));
    if (got == 0) return out;
    out.append(piece, static_cast<size_t>(got));
    if (out.size() > kMostFreezeBytes) return Error{"database_damaged", path + ": it is too long"};
  }
}

/// Reads the text of an object. @returns false if it has none of that name
bool take_json_text(const Value& object, std::string_view name, std::string* out) {
  const Value* value = map_find(*object.map, name);
  if (value == nullptr || !value->is(Kind::string)) return false;
  *out = value->as_text();
  return true;
}

bool take_freeze_entry(const Value& object, Freeze* out) {
  if (!object.is(Kind::map)) return false;
  const bool complete = take_json_text(object, "capability", &out->capability) &&
                        take_json_text(object, "agent", &out->agent) &&
                        take_json_text(object, "because", &out->because) && take_json_text(object, "by", &out->by);
  const Value* when = map_find(*object.map, "since_ns");
  if (!complete || when == nullptr || !when->is(Kind::integer)) return false;
  out->since_ns = when->i;
  return freeze_problem(*out).empty();
}

/// @returns nothing if the text is not a list of freezes
std::optional<std::vector<Freeze>> parse_freezes(std::string_view text) {
  auto document = Document::parse(text);
  if (!document.ok() || !document->root().is(Kind::map)) return std::nullopt;
  const Value* version = map_find(*document->root().map, "version");
  const Value* list = map_find(*document->root().map, "freezes");
  if (version == nullptr || !version->is(Kind::integer) || version->i != kFreezeVersion) return std::nullopt;
  if (list == nullptr || !list->is(Kind::list)) return std::nullopt;
  std::vector<Freeze> out;
  for (const Value& item : list->as_list()) {
    if (!take_freeze_entry(item, &out.emplace_back())) return std::nullopt;
  }
  return out;
}

std::string write_freezes(const std::vector<Freeze>& all) {
  std::string list = "[";
  for (const Freeze& freeze : all) {
    if (list.size() > 1) list += ',';
    list += detail::JsonLine()
                .text("capability", freeze.capability)
                .text("agent", freeze.agent)
                .text("because", freeze.because)
                .text("by", freeze.by)
                .raw("since_ns", std::to_string(freeze.since_ns))
                .done();
  }
  return detail::JsonLine().raw("version", std::to_string(kFreezeVersion)).raw("freezes", list + "]").done() + "\n";
}

/// Root may act for the user whose runtimes read the file.
bool give_to_owner_of(int directory, int descriptor) {
  struct stat status{};
  if (::geteuid() != 0) return true;
  return ::fstat(directory, &status) == 0 && ::fchown(descriptor, status.st_uid, status.st_gid) == 0;
}

Result<void> replace_freezes(const std::string& directory, int directory_file, std::string_view text) {
  const std::string path = freeze_path(directory);
  if (text.size() > kMostFreezeBytes) return Error{"too_many", path + ": there is no room for more freezes"};
  std::string name = path + ".XXXXXX";
  const vm::Descriptor file(::mkostemp(name.data(), O_CLOEXEC));  // its mode is 0600
  if (!file.is_open()) return unwritable_freezes(path);
  if (!give_to_owner_of(directory_file, file.number()) || !vm::write_all(file.number(), text) ||
      ::fsync(file.number()) != 0 || ::rename(name.c_str(), path.c_str()) != 0) {
    const Error error = unwritable_freezes(path);
    ::unlink(name.c_str());
    return error;
  }
  if (::fsync(directory_file) != 0) return unwritable_freezes(path);
  return {};
}

std::string text_of_problem(std::string_view name, const std::string& text, bool required) {
  if (required && text.empty()) return std::string(name) + ": a text is needed";
  const std::string problem = detail::text_problem(text);
  return problem.empty() ? "" : std::string(name) + " is " + problem;
}

}  // namespace

std::string freeze_problem(const Freeze& freeze) {
  for (const auto& [name, text, required] :
       {std::tuple("capability", &freeze.capability, true), std::tuple("agent", &freeze.agent, false),
        std::tuple("because", &freeze.because, true), std::tuple("by", &freeze.by, true)}) {
    if (std::string problem = text_of_problem(name, *text, required); !problem.empty()) return problem;
  }
  return "";
}

std::string thaw_problem(const Thaw& thaw) {
  for (const auto& [name, text, required] :
       {std::tuple("capability", &thaw.capability, true), std::tuple("agent", &thaw.agent, false),
        std::tuple("because", &thaw.because, false), std::tuple("by", &thaw.by, true)}) {
    if (std::string problem = text_of_problem(name, *text, required); !problem.empty()) return problem;
  }
  return "";
}

bool freezes(const Freeze& freeze, std::string_view capability, std::string_view agent) {
  return (freeze.agent.empty() || freeze.agent == agent) && glob_matches(freeze.capability, capability);
}

Result<void> put_freeze(std::vector<Freeze>& all, Freeze freeze) {
  std::erase_if(all,
                [&](const Freeze& one) { return one.capability == freeze.capability && one.agent == freeze.agent; });
  if (all.size() >= kMostFreezes)
    return Error{"too_many", fmt::format("there are {} freezes already; freeze a glob instead", all.size())};
  all.push_back(std::move(freeze));
  return {};
}

Result<void> take_freeze(std::vector<Freeze>& all, const Thaw& thaw) {
  const size_t taken = std::erase_if(
      all, [&](const Freeze& one) { return one.capability == thaw.capability && one.agent == thaw.agent; });
  if (taken != 0) return {};
  return Error{"not_frozen", fmt::format("nothing is frozen as capability {}{}", thaw.capability,
                                         thaw.agent.empty() ? "" : " of agent " + thaw.agent)};
}

Result<std::optional<FreezeMark>> mark_of_freezes(const std::string& directory) {
  const std::string path = freeze_path(directory);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FreezeMark>();
    return unreadable(path, std::strerror(errno));
  }
  FreezeMark out;
  out.device = status.st_dev;
  out.file = status.st_ino;
  out.size = status.st_size;
  out.modified_ns = nanos_of(status.st_mtim);
  out.changed_ns = nanos_of(status.st_ctim);
  return std::optional<FreezeMark>(out);
}

Result<std::vector<Freeze>> read_freezes(const std::string& directory) {
  const std::string path = freeze_path(directory);
  const vm::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::vector<Freeze>();
    return unreadable(path, std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return unreadable(path, "it is not a file");
  auto text = read_bytes(file.number(), path);
  if (!text.ok()) return text.error();
  auto parsed = parse_freezes(*text);
  if (!parsed) return Error{"database_damaged", path + ": it is not a list of freezes"};
  return std::move(*parsed);
}

Result<void> change_freezes(const std::string& directory,
                            const std::function<Result<void>(std::vector<Freeze>&)>& change) {
  const vm::Descriptor lock(::open(directory.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!lock.is_open() || ::flock(lock.number(), LOCK_EX) != 0) return unwritable_freezes(directory);
  auto all = read_freezes(directory);
  if (!all.ok()) return all.error();
  if (auto changed = change(*all); !changed.ok()) return changed;
  return replace_freezes(directory, lock.number(), write_freezes(*all));
}

}  // namespace ordain::state
