// state_peers.cc holds limits by hand, in SQLite and in Redis.
#include "bench/state_peers.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace ordain::bench {
namespace {

int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "state_bench: {}: {}\n", error.code, error.message);
  std::exit(1);
}

/// A million calls a second, of which a million may come at once. Times are microseconds.
constexpr const char* kRateScript = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if paid - now > 1000000 then return paid - now - 1000000 end
redis.call('SET', KEYS[1], string.format('%.0f', paid + 1), 'PX', 10000)
return 0
)";

std::string encode_command(const std::vector<std::string>& words) {
  std::string out = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return out;
}

}  // namespace

bool RateByHand::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int64_t now = steady_ns();
  int64_t& paid = paid_.try_emplace(key, now).first->second;
  if (paid - now > tolerance_ns_) return false;
  paid = std::max(paid, now) + interval_ns_;
  return true;
}

size_t CountByHand::add(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int64_t now = steady_ns();
  Ring& ring = rings_[key];
  if (ring.times.empty()) ring.times.resize(most_);
  while (ring.size > 0 && now - ring.times[ring.first] > window_ns_) {
    ring.first = (ring.first + 1) % most_;
    --ring.size;
  }
  if (ring.size == most_) {
    ring.first = (ring.first + 1) % most_;
    --ring.size;
  }
  ring.times[(ring.first + ring.size++) % most_] = now;
  return ring.size;
}

bool BudgetByHand::hold(const std::string& key, int64_t amount) {
  const std::lock_guard lock(mutex_);
  int64_t& used = used_[key];
  if (used + amount > limit_) return false;
  used += amount;
  return true;
}

void BudgetByHand::settle(const std::string& key, int64_t held, int64_t actual) {
  const std::lock_guard lock(mutex_);
  used_[key] += actual - held;
}

BudgetInSqlite::BudgetInSqlite(const std::string& directory) {
  auto database = sqlite::Database::open(directory + "/peer.db", sqlite::Database::Open::read_write,
                                         std::chrono::milliseconds(5000));
  if (!database.ok()) give_up(database.error());
  database_ = std::make_unique<sqlite::Database>(std::move(*database));
  const sqlite::FileFormat format{0x42656E63, 1,
                                  "CREATE TABLE spent (number INTEGER PRIMARY KEY, used INTEGER NOT NULL);"};
  if (auto ready = database_->prepare_file(format, "INSERT INTO spent VALUES (1, 0);", false); !ready.ok())
    give_up(ready.error());
  auto select = database_->prepare("SELECT used FROM spent WHERE number = 1");
  if (!select.ok()) give_up(select.error());
  select_ = std::move(*select);
  auto update = database_->prepare("UPDATE spent SET used = ?1 WHERE number = 1");
  if (!update.ok()) give_up(update.error());
  update_ = std::move(*update);
}

void BudgetInSqlite::take() {
  sqlite::Transaction transaction(*database_);
  if (auto begun = transaction.begin(); !begun.ok()) give_up(begun.error());
  const bool found = select_.step() == sqlite::Statement::Step::row;
  const int64_t used = found ? select_.integer(0) : 0;
  select_.reset();
  update_.bind(1, used + 1);
  if (auto written = database_->write_row(update_); !written.ok()) give_up(written.error());
  if (auto committed = transaction.commit(); !committed.ok()) give_up(committed.error());
}

std::unique_ptr<RateInRedis> RateInRedis::start(const std::string& directory) {
  const std::string path = directory + "/redis.socket";
  std::signal(SIGPIPE, SIG_IGN);  // a server that ends is an answer that does not come
  std::unique_ptr<RateInRedis> out(new RateInRedis());
  out->server_ = fork();
  if (out->server_ == 0) {
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path.c_str(), "--save", "", "--appendonly",
           "no", "--dir", directory.c_str(), "--logfile", "/dev/null", static_cast<char*>(nullptr));
    _exit(127);
  }
  if (out->server_ < 0 || !out->connect_to(path)) return nullptr;
  auto loaded = out->ask({"SCRIPT", "LOAD", kRateScript});
  if (!loaded || loaded->empty()) return nullptr;
  out->script_ = *loaded;
  return out;
}

RateInRedis::~RateInRedis() {
  if (socket_ >= 0) close(socket_);
  if (server_ <= 0) return;
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
}

/// The server listens some milliseconds after it was started; a missing one ends at once.
bool RateInRedis::connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  for (int tries = 0; socket_ >= 0 && tries < 300; ++tries) {
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return true;
    if (waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = -1;
      return false;
    }
    usleep(10'000);
  }
  return false;
}

std::optional<std::string> RateInRedis::read_line() {
  for (;;) {
    if (const size_t end = unread_.find("\r\n"); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 2);
      return line;
    }
    char buffer[512];
    const ssize_t got = read(socket_, buffer, sizeof(buffer));
    if (got <= 0) return std::nullopt;
    unread_.append(buffer, static_cast<size_t>(got));
  }
}

/// @returns the number or the line of text that the server answers; nothing after an error
std::optional<std::string> RateInRedis::ask(const std::vector<std::string>& command) {
  const std::string text = encode_command(command);
  if (write(socket_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return std::nullopt;
  auto line = read_line();
  if (!line || line->empty() || line->front() == '-') return std::nullopt;
  if (line->front() == '$') return read_line();
  return line->substr(1);
}

bool RateInRedis::take(const std::string& key) {
  const auto answer = ask({"EVALSHA", script_, "1", key});
  if (!answer) give_up({"redis", "the server did not answer"});
  return *answer == "0";
}

}  // namespace ordain::bench
