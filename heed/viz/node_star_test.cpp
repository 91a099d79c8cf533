#include "heed/viz/node_star.h"

#include <gmock/gmock.h>

#include "heed/base/error.h"
#include "heed/viz/testing/test_picture.h"

namespace heed {
namespace {

using testing::HasSubstr;

class NodeStarTest : public PictureTest {};

NodeStar star(size_t neighbours) {
  NodeStar made{.title = "paper 7: physics (99 %)", .node = "n0"};
  NodeStar::Layer layer{.title = "layer 1"};
  for (size_t i = 0; i < neighbours; ++i) {
    made.neighbours.push_back("n" + std::to_string(i));
    layer.weights.push_back(i == 1 ? 0.5F : 0.01F);
  }
  made.layers = {layer, layer};
  return made;
}

TEST_F(NodeStarTest, TheStrongestEdgeIsTheDarkest) {
  EXPECT_TRUE(write_node_star(star(5), path("a.png")).empty());
  const Pixels pixels(path("a.png"));
  // Of both panels: an edge of 110 points, 5.6 wide, four pixels a square point, and its dot.
  EXPECT_GT(pixels.count(rgb_of(color_of_share(1))), 2 * 1800);
  EXPECT_GT(pixels.count(rgb_of(color_of_share(0.9))), 0);
}

// Of two neighbours one is straight above the node and the other straight below, where its name is.
TEST_F(NodeStarTest, NoEdgeRunsThroughTheNameOfTheNode) {
  NodeStar two = star(3);
  two.title.clear();
  two.layers = {{.title = "", .weights = {0.F, 0.5F, 0.5F}}};
  write_node_star(two, path("a.png"));
  const Pixels pixels(path("a.png"));
  const auto edge = rgb_of(color_of_share(1));
  const double x = pixels.width() / 2.0,
               y = (pixels.height() + 2 * 14) / 2.0;  // two pixels a point
  for (int points = 9; points < 20; ++points) {
    EXPECT_EQ(pixels.at(x - 3, y - 2 * points), edge) << points;
    EXPECT_NE(pixels.at(x - 3, y + 2 * points), edge) << points;
  }
}

TEST_F(NodeStarTest, ManyNeighboursAreNoted) {
  const auto notes = write_node_star(star(100), path("a.svg"));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("of 99 neighbours the 30"));
  EXPECT_TRUE(is_well_formed(file_bytes(path("a.svg"))));
}

TEST_F(NodeStarTest, ANodeAloneAndWrongCounts) {
  write_node_star(star(1), path("a.pdf"));
  NodeStar bad = star(3);
  bad.layers[1].weights.pop_back();
  EXPECT_THROW(write_node_star(bad, path("a.png")), UsageError);
  bad.layers.clear();
  EXPECT_THROW(write_node_star(bad, path("a.png")), UsageError);
}

}  // namespace
}  // namespace heed
