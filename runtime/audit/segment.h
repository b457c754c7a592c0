// Segments are the files that a log consists of. Records go to the newest segment; the ones before
// it are sealed. Each begins with a head that describes the log before it, so that older segments
// may be removed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/identity.h"
#include "ordain/result.h"
#include "runtime/audit/merkle.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

inline constexpr int32_t kAuditApplication = 0x4F724175;  // "OrAu"
inline constexpr int32_t kAuditVersion = 2;

/// The single row of table `segment`.
struct SegmentHead {
  uint64_t number = 1;
  Id128 log;                ///< identifies the log; the same in all its segments
  uint64_t first = 1;       ///< id of the first record
  Sha256::Hash previous{};  ///< hash of the record before it
  CompactTree base;         ///< the tree of all records before
  std::string checkpoint;   ///< the note that covers exactly those records, if there is one
  std::string retention;    ///< the note that says older segments were removed; "" if none were
  bool sealed = false;      ///< takes no more records
  bool indexed = false;     ///< has table `facts`
};

struct SegmentFile {
  uint64_t number = 0;
  std::string path;
  bool operator==(const SegmentFile&) const = default;
};

/// `previous` of a log's very first record: SHA-256("ordain audit log\n", log).
Sha256::Hash log_start(const Id128& log);
/// @returns the head of a new log
SegmentHead new_log();

/// @returns the path: audit.db is number 1; later ones are audit-000002.db and so on
std::string segment_path(const std::string& directory, uint64_t number);
/// Lists all files in the directory that are named like segments, by number.
std::vector<SegmentFile> list_files(const std::string& directory);
/// Lists the segments in the directory by number, without one that an interrupted rotation left
/// behind.
Result<std::vector<SegmentFile>> list_segments(const std::string& directory);

/// What the file of a segment holds: the tables, and once it is indexed, the index of its facts.
const sqlite::FileFormat& segment_format();
/// Creates the file (or completes one that was just created) with the head `head`, unless it
/// already has one.
Result<sqlite::Database> create_segment(const std::string& path, const SegmentHead& head, bool full,
                                        std::chrono::milliseconds busy_wait);
/// @returns error "database_corrupt" if the row is missing or makes no sense
Result<SegmentHead> read_segment_head(sqlite::Database& database, const std::string& path);
/// Opens a segment for reading: begins a read transaction, and checks the file's format in it.
Result<sqlite::Database> open_segment(const std::string& path);

/// @returns the text of the note that declares older records removed: "ORIGIN/retention", first id
/// kept, tree's root
std::string retention_text(const std::string& origin, uint64_t first, const Sha256::Hash& root);

/// Adds table `facts` with its indexes, which queries use, to a sealed segment. Does nothing if the
/// segment has it.
Result<void> index_segment(const std::string& path);

}  // namespace ordain::detail
