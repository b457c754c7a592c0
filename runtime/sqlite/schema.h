// schema compares the tables, indexes, views and triggers of a database with those that Ordain
// makes. A planted one could swallow a row, or show another.
#pragma once

#include <optional>
#include <string>

struct sqlite3;

namespace ordain::sqlite {

/// Compares with the objects that the statements `schema` make, or those of `schema` and
/// `additions` together. @returns what differs first, "" if nothing does, and nothing if the
/// database cannot be read
std::optional<std::string> find_foreign_schema(sqlite3* database, const std::string& schema,
                                               const std::string& additions);

}  // namespace ordain::sqlite
