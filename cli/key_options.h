// Options that several commands share because they open a database or use keys.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "ordain/approvals.h"
#include "ordain/keys.h"

namespace ordain::cli {

/// Reads public keys, each given as text or as a file that holds it.
Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given);

/// The keys of approvals and grants: `--key`, a private key's file or "", and `--trust`.
Result<OperatorKeys> operator_keys(const std::string& key, const std::vector<std::string>& trust);

/// The required option `--db`.
void add_database_option(Command command, std::string& directory, const char* about = "the database directory");

struct DatabaseOptions {
  std::string database, key;
  std::vector<std::string> trust;
  bool json = false;
};

/// Adds a command with these options, which must outlive it. @param key_help what `--key` is for
Command add_database_command(Command parent, DatabaseOptions& options, const char* key_help, const char* name,
                             const char* about);

/// Complains. @returns kUsage if the database or a key cannot be used, kFindings if the store refuses the request
int fail_on_database(const Error& error);

/// The name of the user who runs the command.
std::string user_name();

}  // namespace ordain::cli
