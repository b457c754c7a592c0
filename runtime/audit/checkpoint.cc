// checkpoint.cc formats and parses checkpoints. Numbers and base64 have one spelling each, so a
// signature covers one meaning only.
#include "runtime/audit/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "vm/value/encodings.h"

namespace ordain::detail {
namespace {

std::string_view take_line(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool read_size(std::string_view line, uint64_t* out) {
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *out);
  return error == std::errc() && end == line.data() + line.size() && std::to_string(*out) == line;
}

bool write_whole(int file, std::string_view bytes, off_t before) {
  for (std::string_view rest = bytes; !rest.empty();) {
    ssize_t done = ::write(file, rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      int reason = errno;
      if (::ftruncate(file, before) != 0) errno = reason;
      errno = reason;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(done));
  }
  return ::fdatasync(file) == 0;
}

}  // namespace

std::string Checkpoint::text() const {
  std::string_view bytes(reinterpret_cast<const char*>(root.data()), root.size());
  return fmt::format("{}\n{}\n{}\n", origin, size, base64_of(bytes));
}

Result<Checkpoint> parse_checkpoint(std::string_view note) {
  Checkpoint out;
  std::string root;
  out.origin = take_line(note);
  if (out.origin.empty() || !read_size(take_line(note), &out.size) || !parse_base64(take_line(note), &root) ||
      root.size() != out.root.size() || !note.starts_with('\n')) {
    return Error{"bad_note", "not a checkpoint"};
  }
  std::memcpy(out.root.data(), root.data(), root.size());
  return out;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const std::vector<PublicKey>& keys) {
  auto out = parse_checkpoint(note);
  if (!out || keys.empty()) return out;
  auto text = open_note(note, keys);
  if (!text) return text.error();
  for (const PublicKey& key : keys) {
    if (out->origin.starts_with(key.name() + "/")) return out;
  }
  return Error{"not_signed", "the origin is not that of the key"};
}

Result<std::vector<std::string>> split_notes(std::string_view text) {
  std::vector<std::string> out;
  size_t line = 1;
  while (!text.empty()) {
    if (text.front() == '\n') {
      text.remove_prefix(1);
      ++line;
      continue;
    }
    size_t first = line;
    std::string_view begin = text;
    for (; !text.empty() && text.front() != '\n'; ++line) take_line(text);
    bool complete = !text.empty();
    if (complete) take_line(text);
    bool is_signed = false;
    for (++line; text.starts_with("\xE2\x80\x94 ") && text.find('\n') != std::string_view::npos; ++line) {
      take_line(text);
      is_signed = true;
    }
    if (!complete || !is_signed) return Error{"bad_note", fmt::format("line {}: not a whole signed note", first)};
    out.emplace_back(begin.substr(0, begin.size() - text.size()));
  }
  return out;
}

Result<void> append_note(const std::string& path, std::string_view note) {
  auto failed = [&] { return Error{"checkpoint_unwritable", fmt::format("{}: {}", path, std::strerror(errno))}; };
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return failed();
  Result<void> result;
  struct stat status{};
  // Several processes may append at once; if a note was written only in part, it is removed under
  // the same lock.
  if (::flock(file, LOCK_EX) != 0 || ::fstat(file, &status) != 0 ||
      !write_whole(file, std::string(note) + "\n", status.st_size)) {
    result = failed();
  }
  ::close(file);
  return result;
}

}  // namespace ordain::detail
