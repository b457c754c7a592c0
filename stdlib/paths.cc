// paths.cc handles file paths as text: it resolves `.` and `..` as far as possible without looking
// at a disk. It does not see symbolic links; a rule that must consider them needs a path that the
// host resolved.
#include <cstring>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

// Removes the next segment from `path`, skipping empty segments and "."; empty at the end.
std::string_view next_segment(std::string_view* path) {
  while (!path->empty()) {
    size_t end = path->find('/');
    std::string_view segment = path->substr(0, end);
    *path = end == std::string_view::npos ? std::string_view() : path->substr(end + 1);
    if (!segment.empty() && segment != ".") return segment;
  }
  return {};
}

// Writes the normal form to `out`, which must have room for the path's bytes, and for at least one.
// @returns its size.
size_t normalize_into(std::string_view path, char* out) {
  bool absolute = path.starts_with('/');
  size_t base = absolute ? 1 : 0;
  size_t size = base;
  size_t floor = base;  // where ".." stops removing: at the root or after leading ".."
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

// A shell expands "~" and "~user", which may lead anywhere; a NUL ends the path for the system but
// not for us.
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
  // Now `inner` leads upwards only if the directory itself is "..", "../.." ...
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
