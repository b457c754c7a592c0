// File paths as text: `.` and `..` resolved by the letter, as far as that can be done without looking at a disk.
// Symbolic links are not seen; a rule that must see them needs the host's resolved path.
#include <cstring>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

// Takes the next segment off `path`, skipping empty ones and "."; empty at the end.
std::string_view next_segment(std::string_view* path) {
  while (!path->empty()) {
    size_t end = path->find('/');
    std::string_view segment = path->substr(0, end);
    *path = end == std::string_view::npos ? std::string_view() : path->substr(end + 1);
    if (!segment.empty() && segment != ".") return segment;
  }
  return {};
}

// Writes the normal form to `out`, which has room for the path's bytes or one, whichever is more. @returns its size.
size_t normalize_into(std::string_view path, char* out) {
  bool absolute = path.starts_with('/');
  size_t base = absolute ? 1 : 0;
  size_t size = base;
  size_t floor = base;  // what ".." may not take away: the root, or ".." segments at the start
  if (absolute) out[0] = '/';
  for (std::string_view segment = next_segment(&path); !segment.empty(); segment = next_segment(&path)) {
    if (segment == "..") {
      if (size > floor) {
        size_t cut = size;
        while (cut > floor && out[cut - 1] != '/') --cut;
        size = cut > floor ? cut - 1 : floor;
        continue;
      }
      if (absolute) continue;
    }
    if (size > base) out[size++] = '/';
    std::memcpy(out + size, segment.data(), segment.size());
    size += segment.size();
    if (segment == "..") floor = size;
  }
  if (size == 0) out[size++] = '.';
  return size;
}

bool normalize(Eval& eval, const Value* args, Value* result) {
  std::string_view path = args[0].as_text();
  auto* out = eval.array<char>(path.size() + 1);
  if (out == nullptr) return false;
  return give(result, text_at(out, normalize_into(path, out)));
}

// "~" and "~user" are a shell's and may lead anywhere; a NUL ends the path for the system but not for us.
bool is_plain(std::string_view path) { return !path.starts_with('~') && path.find('\0') == std::string_view::npos; }

bool is_within(Eval& eval, const Value* args, Value* result) {
  std::string_view path = args[0].as_text();
  std::string_view directory = args[1].as_text();
  auto* out = eval.array<char>(path.size() + directory.size() + 2);
  if (out == nullptr) return false;
  if (path.empty() || directory.empty() || !is_plain(path) || !is_plain(directory)) {
    return give(result, Value::boolean(false));
  }
  std::string_view inner(out, normalize_into(path, out));
  char* rest = out + inner.size();
  std::string_view outer(rest, normalize_into(directory, rest));
  if (inner.starts_with('/') != outer.starts_with('/')) return give(result, Value::boolean(false));
  if (outer == "/") return give(result, Value::boolean(true));
  if (outer != ".") {
    if (!inner.starts_with(outer)) return give(result, Value::boolean(false));
    inner.remove_prefix(outer.size());
    if (inner.empty()) return give(result, Value::boolean(true));
    if (inner[0] != '/') return give(result, Value::boolean(false));
    inner.remove_prefix(1);
  }
  // What is left goes up only where the directory itself is "..", "../.." ...
  return give(result, Value::boolean(inner != ".." && !inner.starts_with("../")));
}

}  // namespace

void add_paths(FunctionTable& table) {
  const Overload rows[] = {
      {"paths.normalize", "paths_normalize", "(string) -> string", normalize,
       "The path without `.`, `//` and, as far as it goes, `..`: \"a/./b//../c\" is \"a/c\".", first_text_cost},
      {"isWithin", "path_is_within", "string.(string) -> bool", is_within,
       "Whether the path, normalized, is the directory or below it; false for paths starting with ~.", two_texts_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
