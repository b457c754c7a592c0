// pins reads and writes the table as JSON. A definition is kept as a text within it, so that no server can make a table
// that is nested too deep to be read again.
#include "agents/mcp/pins.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "agents/mcp/message.h"
#include "ordain/json.h"
#include "vm/value/descriptor.h"

namespace ordain::mcp {
namespace {

constexpr std::string_view kPinFormat = "ordain mcp pins 1";

using Definitions = std::map<std::string, std::string, std::less<>>;

void append_definitions(std::string& out, std::string_view name, const Definitions& definitions) {
  append_json_string(out, name);
  out += ":{";
  bool first = true;
  for (const auto& [tool, definition] : definitions) {
    out += first ? "\n" : ",\n";
    first = false;
    append_json_string(out, tool);
    out += ':';
    append_json_string(out, definition);
  }
  out += '}';
}

std::string write_table(const PinTable& table, std::string_view server) {
  std::string out = "{\"format\":";
  append_json_string(out, kPinFormat);
  out += ",\"server\":";
  append_json_string(out, server);
  out += table.complete ? ",\"complete\":true,\n" : ",\"complete\":false,\n";
  append_definitions(out, "accepted", table.accepted);
  out += ",\n";
  append_definitions(out, "offered", table.offered);
  return out + "}\n";
}

bool read_definitions(const Value* from, Definitions* out) {
  if (from == nullptr || !from->is(Kind::map)) return false;
  for (const MapEntry& entry : from->map->all()) {
    if (!entry.value.is(Kind::string)) return false;
    out->emplace(entry.key.as_text(), entry.value.as_text());
  }
  return true;
}

Result<PinTable> parse_table(std::string_view text, std::string_view server, const std::string& path) {
  Arena arena(text.size() + 1024);
  const Result<Value> root = parse_json(arena, text);
  PinTable out;
  const Value* complete = root.ok() ? member(*root, "complete") : nullptr;
  const bool fits = complete != nullptr && complete->is(Kind::boolean) && text_member(*root, "format") == kPinFormat &&
                    text_member(*root, "server") == server &&
                    read_definitions(member(*root, "accepted"), &out.accepted) &&
                    read_definitions(member(*root, "offered"), &out.offered);
  if (!fits) return Error{"bad_pins", path + " does not hold the accepted tools of the server " + std::string(server)};
  out.complete = complete->as_bool();
  return out;
}

/// A lock that is held as long as this lives. The file stays, because removing it would let two hold it.
class PinLock {
 public:
  explicit PinLock(const std::string& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    while (file_.is_open() && !held_) {
      held_ = ::flock(file_.number(), LOCK_EX) == 0;
      if (!held_ && errno != EINTR) break;
    }
  }
  bool held() const { return held_; }

 private:
  const vm::Descriptor file_;
  bool held_ = false;
};

Result<void> replace_table(const std::string& path, std::string_view text) {
  std::string next = path + ".XXXXXX";
  const vm::Descriptor file(::mkostemp(next.data(), O_CLOEXEC));
  const bool done = file.is_open() && vm::write_all(file.number(), text) && ::fsync(file.number()) == 0 &&
                    ::rename(next.c_str(), path.c_str()) == 0;
  if (done) return {};
  const std::string why = std::strerror(errno);
  if (file.is_open()) ::unlink(next.c_str());
  return Error{"unwritable", "cannot write " + path + ": " + why};
}

}  // namespace

PinState judge_definition(PinTable& table, std::string_view name, std::string_view definition, bool* noted) {
  const auto accepted = table.accepted.find(name);
  if (accepted != table.accepted.end() && accepted->second == definition) {
    const auto offered = table.offered.find(name);  // the server went back to what was accepted
    if (offered != table.offered.end()) table.offered.erase(offered), *noted = true;
    return PinState::accepted;
  }
  const bool full = table.accepted.size() + table.offered.size() >= kMostPins;
  if (accepted == table.accepted.end() && !table.complete && !full) {
    table.accepted.emplace(name, definition);
    *noted = true;
    return PinState::accepted;
  }
  const auto offered = table.offered.find(name);
  if (offered != table.offered.end() ? offered->second != definition : !full) {
    table.offered.insert_or_assign(std::string(name), std::string(definition));
    *noted = true;
  }
  return accepted == table.accepted.end() ? PinState::added : PinState::changed;
}

PinFile::PinFile(std::string directory, std::string server)
    : directory_(std::move(directory)), server_(std::move(server)) {}

Result<PinTable> PinFile::read() const {
  if (directory_.empty()) return memory_;
  const std::string path = directory_ + "/mcp-" + server_ + ".json";
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return PinTable();
    return Error{"bad_pins", "cannot read " + path};
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return Error{"bad_pins", "cannot read " + path};
  return parse_table(text, server_, path);
}

Result<void> PinFile::change(const std::function<bool(PinTable&)>& edit) {
  if (directory_.empty()) {
    edit(memory_);
    return {};
  }
  const std::string path = directory_ + "/mcp-" + server_ + ".json";
  const PinLock lock(path + ".lock");
  if (!lock.held()) return Error{"unwritable", "cannot lock " + path + ".lock: " + std::strerror(errno)};
  Result<PinTable> table = read();
  if (!table) return table.error();
  return edit(*table) ? replace_table(path, write_table(*table, server_)) : Result<void>();
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace ordain::mcp
