// audit_row checks types and sizes, because anyone who can write the file can put anything into a
// column.
#include "runtime/audit/row.h"

#include <algorithm>

#include "runtime/identity/text.h"

namespace ordain::detail {

std::string read_row(sqlite::Statement& statement, Row* row) {
  row->id = static_cast<uint64_t>(statement.integer(0));
  auto chain = statement.blob(1), hash = statement.blob(4);
  if (!statement.is_blob(1) || chain.size() != row->chain.bytes.size()) return "chain is not 16 bytes";
  if (!statement.is_integer(2)) return "sequence is not a number";
  if (!statement.is_blob(3)) return "body is not bytes";
  if (!statement.is_blob(4) || hash.size() != row->hash.size()) return "hash is not 32 bytes";
  std::copy(chain.begin(), chain.end(), row->chain.bytes.begin());
  std::copy(hash.begin(), hash.end(), row->hash.begin());
  row->sequence = static_cast<uint64_t>(statement.integer(2));
  row->body = statement.blob(3);
  return "";
}

bool read_record(const Row& row, AuditRecord* record) {
  record->id = row.id;
  record->chain = row.chain.hex();
  record->sequence = row.sequence;
  record->hash = to_hex(row.hash);
  return decode_record(row.body, record);
}

}  // namespace ordain::detail
