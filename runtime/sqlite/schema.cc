// schema.cc learns what the statements of a format make by running them in memory, so that the list
// of objects is written down only once.
#include "runtime/sqlite/schema.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

namespace ordain::sqlite {
namespace {

/// Kind and name of each object, and the table and statement that it was made with.
using Objects = std::map<std::string, std::string>;

std::string text_of(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(row, column)));
}

/// Makes white space outside of quotes even, because how a statement is cut into lines means
/// nothing.
std::string even_space(const std::string& sql) {
  std::string out;
  char quote = 0;
  bool gap = false;
  for (char c : sql) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (quote == 0 && space) {
      gap = true;
      continue;
    }
    const bool joins = out.empty() || c == '(' || c == ')' || c == ',' || out.back() == '(' || out.back() == ',';
    if (gap && !joins) out += ' ';
    gap = false;
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    }
    out += c;
  }
  return out;
}

std::optional<Objects> read_objects(sqlite3* database) {
  sqlite3_stmt* rows = nullptr;
  int result = sqlite3_prepare_v2(database, "SELECT type, name, tbl_name, sql FROM sqlite_schema", -1, &rows, nullptr);
  Objects out;
  while (result == SQLITE_OK && (result = sqlite3_step(rows)) == SQLITE_ROW) {
    result = SQLITE_OK;
    auto [place, is_new] = out.emplace(fmt::format("{} {}", text_of(rows, 0), text_of(rows, 1)),
                                       fmt::format("{}: {}", text_of(rows, 2), even_space(text_of(rows, 3))));
    if (!is_new) place->second += " (twice)";
  }
  sqlite3_finalize(rows);
  if (result != SQLITE_DONE) return std::nullopt;
  return out;
}

const Objects& objects_of(const std::string& schema) {
  static std::mutex mutex;
  static std::map<std::string, Objects> known;
  std::lock_guard lock(mutex);
  auto [place, is_new] = known.try_emplace(schema);
  if (!is_new) return place->second;
  sqlite3* raw = nullptr;
  sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(raw, sqlite3_close_v2);
  sqlite3_exec(raw, schema.c_str(), nullptr, nullptr, nullptr);
  if (auto made = read_objects(raw)) place->second = std::move(*made);
  return place->second;
}

std::string compare(const Objects& wanted, const Objects& found) {
  for (const auto& [name, made] : found) {
    auto ours = wanted.find(name);
    if (ours == wanted.end()) return fmt::format("holds what Ordain did not make: {}", name);
    if (ours->second != made) return fmt::format("{} is not as Ordain made it", name);
  }
  for (const auto& [name, made] : wanted) {
    if (found.contains(name)) continue;
    const size_t space = name.find(' ');  // "index facts_rule"
    return fmt::format("lacks its {} `{}`", name.substr(0, space), name.substr(space + 1));
  }
  return "";
}

}  // namespace

std::optional<std::string> find_foreign_schema(sqlite3* database, const std::string& schema,
                                               const std::string& additions) {
  auto found = read_objects(database);
  if (!found) return std::nullopt;
  const Objects& base = objects_of(schema);
  std::string problem = compare(base, *found);
  if (problem.empty() || additions.empty()) return problem;
  // If none of the additions was made, the first comparison names what differs, otherwise the second does.
  const Objects& whole = objects_of(schema + additions);
  std::string extended = compare(whole, *found);
  if (extended.empty()) return "";
  const bool is_extended = std::any_of(found->begin(), found->end(), [&](const auto& object) {
    return whole.contains(object.first) && !base.contains(object.first);
  });
  return is_extended ? extended : problem;
}

}  // namespace ordain::sqlite
