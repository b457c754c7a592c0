// What the commands on approvals and grants have in common: a database, and keys.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "ordain/approvals.h"
#include "ordain/keys.h"

namespace ordain::cli {

/// A verifier key as text, or a file that holds one.
Result<PublicKey> read_public_key(const std::string& given);
Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given);

/// The keys of approvals and grants: `--key`, a private key's file or "", and `--trust`.
Result<OperatorKeys> operator_keys(const std::string& key, const std::vector<std::string>& trust);

struct DatabaseOptions {
  std::string database, key;
  std::vector<std::string> trust;
  bool json = false;
};

/// Adds a command with these options, which must outlive it. @param key_help what `--key` is for
Command add_database_command(Command parent, DatabaseOptions& options, const char* key_help, const char* name,
                             const char* about);

/// Complains. @returns kUsage if there is no database or no key to be had, kFindings if what was asked was refused.
int fail_on_database(const Error& error);

/// Who runs the command.
std::string user_name();

}  // namespace ordain::cli
