#include "cli/key_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/terminal.h"

namespace ordain::cli {
namespace {

Result<PublicKey> read_public_key(const std::string& given) {
  std::error_code ignored;
  return std::filesystem::exists(given, ignored) ? PublicKey::load(given) : PublicKey::parse(given);
}

}  // namespace

Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given) {
  std::vector<PublicKey> out;
  for (const std::string& one : given) {
    auto key = read_public_key(one);
    if (!key) return Error{key.error().code, fmt::format("--key {}: {}", one, key.error().message)};
    out.push_back(*key);
  }
  return out;
}

void add_database_option(Command command, std::string& directory, const char* about) {
  command.add_option("--db", directory, about).names_directory().required();
}

Command add_database_command(Command parent, DatabaseOptions& options, const char* key_help, const char* name,
                             const char* about) {
  Command command = parent.add_command(name, about);
  add_database_option(command, options.database);
  command.add_option("--key", options.key, key_help).names_file();
  command.add_option("--trust", options.trust, "a public key, or its file, that signatures are checked with")
      .names_file();
  command.add_flag("--json", options.json, "print JSON, one object a line");
  return command;
}

int fail_on_database(const Error& error) {
  complain(error.message);
  return error.code.rfind("database_", 0) == 0 || error.code == "no_database" || error.code.rfind("key_", 0) == 0 ||
                 error.code == "bad_key"
             ? kUsage
             : kFindings;
}

Result<OperatorKeys> operator_keys(const std::string& key, const std::vector<std::string>& trust) {
  OperatorKeys out;
  if (!key.empty()) {
    auto loaded = PrivateKey::load(key);
    if (!loaded) return loaded.error();
    out.sign = std::move(*loaded);
  }
  auto trusted = read_public_keys(trust);
  if (!trusted) return trusted.error();
  out.trust = std::move(*trusted);
  return out;
}

std::string user_name() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : fmt::format("uid-{}", getuid());
}

}  // namespace ordain::cli
