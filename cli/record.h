// Recorder: writes what `ordain eval` decides into an audit log.
#pragma once

#include <memory>
#include <string>

#include "cli/shared.h"
#include "ordain/audit.h"
#include "ordain/decide.h"
#include "runtime/audit_writer.h"

namespace ordain::cli {

/// One log, one thread. Records are of kind `decision`.
class Recorder {
 public:
  struct Where {
    std::string directory, key, checkpoints;  ///< the last two may be empty
  };
  /// Opens or makes the log. nullptr after complaining.
  static std::unique_ptr<Recorder> open(const Where& where, std::shared_ptr<const Program> program);

  /// Queues the decision's record; waits for room. False, after complaining, if the log cannot take it.
  bool add(const EventReader& reader, const Decision& decision);
  /// Waits until all is committed. False, after complaining, if it is not.
  bool close();

 private:
  void take_digests(const Decision& decision, std::string_view root, const Value* fact,
                    std::vector<detail::DraftRedacted>& out) const;

  std::shared_ptr<const Program> program_;
  std::unique_ptr<detail::AuditWriter> writer_;
  std::string session_;
  std::string body_;
  const DigestKey digest_key_ = DigestKey::generate();
  const std::array<uint8_t, 8> digest_key_id_ = digest_key_.id();
};

}  // namespace ordain::cli
