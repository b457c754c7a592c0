// Base is a small valid database directory that the database fuzzer changes: two segments of a
// signed log, and approvals in every state.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/ordain.h"

namespace ordain::fuzz {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kNoon = 1767268800 * kSecond;

/// Reports a property that does not hold, and aborts.
[[noreturn]] void fail(const std::string& what);

struct Base {
  std::filesystem::path root;  ///< temporary; removed at the end
  PrivateKey key = *PrivateKey::generate("example.com");
  std::shared_ptr<const Program> program;
  std::vector<std::pair<std::string, std::string>> files;  ///< name and bytes
  std::string exported;                                    ///< all lines
  std::vector<std::string> records;                        ///< the lines that are records
  std::string checkpoint;                                  ///< the last one, as kept elsewhere
  std::string proof;                                       ///< of record 3
  std::vector<std::string> approvals;                      ///< ids
  ApprovalRequest approved, unapproved;

  Base();
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
  ~Base();
  OperatorKeys keys() const { return {.trust = {key.public_key()}}; }

 private:
  void run(const std::string& directory);
  void ask(const std::string& directory);
};

/// @returns the database of this process. Ids and keys differ between processes; sizes and offsets
/// do not.
const Base& base();

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);

Result<std::vector<std::string>> export_of(const AuditLog& log);
std::vector<std::string> records_of(const std::vector<std::string>& lines);
std::string joined(const std::vector<std::string>& lines);

}  // namespace ordain::fuzz
