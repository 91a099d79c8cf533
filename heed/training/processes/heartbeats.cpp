#include "heed/training/processes/heartbeats.h"

#include <exception>

#include "heed/training/processes/meeting.h"

namespace heed::training {

c10::intrusive_ptr<c10d::TCPStore> open_store(const Rank& rank, bool serve,
                                              std::chrono::seconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = rank.port;
  options.isServer = serve;
  options.numWorkers = static_cast<size_t>(rank.size);
  options.waitWorkers = false;
  options.timeout = timeout;
  return within(ProcessGroup::kPatience,
                "somebody listens there and does not answer: another program, or a rank 0 that is "
                "stopped; nothing came",
                [address = rank.address, options] {
                  return c10::make_intrusive<c10d::TCPStore>(address, options);
                });
}

Heartbeats::Heartbeats(const Rank& rank, std::chrono::seconds timeout)
    : rank_(rank), store_(open_store(rank, false, timeout)), seen_(static_cast<size_t>(rank.size)) {
  store_->add(key(rank_.rank), 1);
  thread_ = std::thread([this] { beat(); });
}

Heartbeats::~Heartbeats() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Heartbeats::beat() {
  std::unique_lock lock(mutex_);
  while (!ended_ && dead_ < 0) {
    lock.unlock();
    look();
    ++looks_;
    lock.lock();
    changed_.wait_for(lock, kInterval, [this] { return ended_; });
  }
}

void Heartbeats::look() {
  try {
    store_->add(key(rank_.rank), 1);
    if (store_->check({kDead})) {  // somebody else saw it first
      const std::vector<uint8_t> name = store_->get(kDead);
      dead_ = std::stoi(std::string(name.begin(), name.end()));
      return;
    }
    for (int other = 0; other < rank_.size; ++other) {
      Seen& seen = seen_[static_cast<size_t>(other)];
      const int64_t count = other == rank_.rank ? 0 : store_->add(key(other), 0);
      const bool is_judged = other != rank_.rank && count > 0;  // 0: it has not come yet
      if (!is_judged || count != seen.count) {
        seen = {count, 0};
      } else if (++seen.looks * kInterval > ProcessGroup::kPatience) {
        const std::string name = std::to_string(other);
        store_->set(kDead, std::vector<uint8_t>(name.begin(), name.end()));
        dead_ = other;
        return;
      }
    }
  } catch (const std::exception&) {
    dead_ = 0;  // rank 0 keeps the store
  }
}

}  // namespace heed::training
