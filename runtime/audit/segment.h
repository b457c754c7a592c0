// segment: the files that a log consists of. Records go to the newest; the ones before are sealed. Each begins with a
// head that says what came before it, so that older ones may be taken away.
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

/// The one row of table `segment`.
struct SegmentHead {
  uint64_t number = 1;
  Id128 log;                ///< names the log; the same in all its segments
  uint64_t first = 1;       ///< id of the first record
  Sha256::Hash previous{};  ///< hash of the record before it
  CompactTree base;         ///< the tree of all records before
  std::string checkpoint;   ///< the note that covers just these, if there is one
  std::string retention;    ///< once older segments were removed: the note that says so
  bool sealed = false;      ///< takes no more records
  bool indexed = false;     ///< has table `facts`
};

struct SegmentFile {
  uint64_t number = 0;
  std::string path;
};

/// `previous` of a log's very first record: SHA-256("ordain audit log\n", log).
Sha256::Hash log_start(const Id128& log);
/// Of a log that begins.
SegmentHead new_log();

/// audit.db is number 1; later ones are audit-000002.db and so on.
std::string segment_path(const std::string& directory, uint64_t number);
/// What is there, by number. One that a rotation was making when it was stopped is left out.
Result<std::vector<SegmentFile>> list_segments(const std::string& directory);

/// Creates the file (or completes one that was just created) with `head` as its head, unless it has one.
Result<sqlite::Database> create_segment(const std::string& path, const SegmentHead& head, bool full,
                                        std::chrono::milliseconds busy_wait);
/// @returns error "database_corrupt" if the row is not there or makes no sense.
Result<SegmentHead> read_segment_head(sqlite::Database& database, const std::string& path);
/// Opens for reading and checks the kind of file.
Result<sqlite::Database> open_segment(const std::string& path);

/// The text of a note by which older records are declared removed: "ORIGIN/retention", first id kept, tree's root.
std::string retention_text(const std::string& origin, uint64_t first, const Sha256::Hash& root);

/// Gives a sealed segment table `facts` with its indexes, by which queries find records. Nothing if it has it.
Result<void> index_segment(const std::string& path);

}  // namespace ordain::detail
