#include "heed/models/published/assembly.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/io/testing/test_files.h"
#include "heed/nn/layers/feed_forward.h"

namespace heed::models::published {
namespace {

constexpr int64_t kWidth = 5, kHidden = 3;

at::Tensor numbers(at::IntArrayRef sizes, double first, at::ScalarType type) {
  const at::Tensor all = at::empty(sizes, at::kFloat);
  return (at::arange(all.numel(), at::kFloat) + first).view(sizes).to(type);
}

// A gated feed-forward part, and the file that it is made of.
class Gated {
 public:
  // A file has its tensors in the order of their names; the third of these is "down".
  Gated(const std::string& gate, const std::string& up, at::ScalarType stored)
      : gate_(numbers({kHidden, kWidth}, 1, stored)), up_(numbers({kHidden, kWidth}, 50, stored)) {
    const at::Tensor down = numbers({kWidth, kHidden}, 100, stored);
    std::vector<StoredTensor> tensors;
    for (const auto& [name, tensor] :
         {std::pair{gate, gate_}, std::pair{up, up_}, std::pair{std::string("down"), down}}) {
      tensors.push_back(
          {.name = name + ".weight",
           .dtype = stored == at::kFloat ? SafetensorsDtype::kF32 : SafetensorsDtype::kBF16,
           .shape = tensor.sizes().vec(),
           .data = static_cast<const std::byte*>(tensor.const_data_ptr()),
           .bytes = tensor.nbytes()});
    }
    write_safetensors(folder_ / "model.safetensors", tensors);
    weights = std::make_unique<Weights>(folder_.path());
    Plan plan;
    plan.network_rules = {{"up", {gate, up}}, {"down", {"down"}}};
    assemble(module, plan.network_rules, plan, *weights, Missing::kRefuse);
  }

  at::Tensor expected() const { return at::cat({gate_, up_}); }

  std::unique_ptr<Weights> weights;
  nn::FeedForward module{
      {.d_model = kWidth, .d_ff = kHidden, .kind = {Activation::kSilu, true}, .bias = false}};

 private:
  test::Folder folder_;
  at::Tensor gate_;
  at::Tensor up_;
};

TEST(Assembly, LeavesWhatFollowsEachOtherInTheFile) {
  Gated part("gate", "up", at::kFloat);
  const at::Tensor& weight = part.module.up->weight;
  EXPECT_EQ(weight.const_data_ptr(), part.weights->at("gate.weight").const_data_ptr());
  EXPECT_TRUE(at::equal(weight, part.expected()));
  part.weights.reset();  // the mapped file stays as long as somebody looks at it
  EXPECT_TRUE(at::equal(weight, part.expected()));
}

TEST(Assembly, CopiesWhatIsApartOrTheOtherWayRound) {
  using Names = std::pair<const char*, const char*>;
  for (const auto& [gate, up] : {Names{"a", "up"}, Names{"up", "gate"}}) {
    const Gated part(gate, up, at::kFloat);
    const at::Tensor& weight = part.module.up->weight;
    EXPECT_TRUE(at::equal(weight, part.expected()));
    for (const char* name : {gate, up}) {
      EXPECT_NE(weight.const_data_ptr(),
                part.weights->at(name + std::string(".weight")).const_data_ptr());
    }
  }
}

TEST(Assembly, ConvertsWhatIsOfAnotherType) {
  const Gated part("gate", "up", at::kBFloat16);
  EXPECT_EQ(part.module.up->weight.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(part.module.up->weight, part.expected().to(at::kFloat)));
}

}  // namespace
}  // namespace heed::models::published
