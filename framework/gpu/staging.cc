#include "framework/gpu/staging.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

namespace lamina::gpu {

Staging::Staging(std::unique_ptr<PinnedCopies> copies, const Options& options)
    : copies_(std::move(copies)), options_(options), most_chunks_(options.most_chunks) {}

Staging::~Staging() {
  for (const Chunk& chunk : chunks_) copies_->Give(chunk.memory);
}

bool Staging::Next(size_t* chunk) {
  if (next_ == chunks_.size() && chunks_.size() < most_chunks_) {
    if (void* const memory = copies_->Take(options_.chunk_bytes)) {
      chunks_.push_back({.memory = memory});
    } else {
      most_chunks_ = chunks_.size();
    }
  }
  if (chunks_.empty()) return false;
  if (next_ >= chunks_.size()) next_ = 0;
  *chunk = next_++;
  return true;
}

void Staging::Finish(size_t chunk) {
  if (!chunks_[chunk].is_busy) return;
  copies_->WaitFor(chunk);
  chunks_[chunk].is_busy = false;
}

bool Staging::CopyIn(void* to, const void* from, size_t bytes) {
  if (bytes < options_.smallest) return false;
  for (size_t at = 0; at < bytes; at += options_.chunk_bytes) {
    const size_t part = std::min(options_.chunk_bytes, bytes - at);
    size_t chunk;
    if (!Next(&chunk)) return false;  // If at all, then at once.
    Finish(chunk);
    std::memcpy(chunks_[chunk].memory, static_cast<const char*>(from) + at, part);
    chunks_[chunk].is_busy = true;
    copies_->AskIn(static_cast<char*>(to) + at, chunks_[chunk].memory, part, chunk);
  }
  return true;
}

bool Staging::CopyOut(void* to, const void* from, size_t bytes) {
  if (bytes < options_.smallest) return false;
  struct Part {
    size_t chunk, at, bytes;
  };
  std::deque<Part> asked;
  const auto finish_first = [&] {
    const Part part = asked.front();
    asked.pop_front();
    Finish(part.chunk);
    std::memcpy(static_cast<char*>(to) + part.at, chunks_[part.chunk].memory, part.bytes);
  };
  for (size_t at = 0; at < bytes; at += options_.chunk_bytes) {
    const size_t part = std::min(options_.chunk_bytes, bytes - at);
    size_t chunk;
    if (!Next(&chunk)) return false;  // If at all, then at once.
    if (!asked.empty() && asked.front().chunk == chunk) finish_first();
    Finish(chunk);
    chunks_[chunk].is_busy = true;
    copies_->AskOut(chunks_[chunk].memory, static_cast<const char*>(from) + at, part, chunk);
    asked.push_back({chunk, at, part});
  }
  while (!asked.empty()) finish_first();
  return true;
}

}  // namespace lamina::gpu
