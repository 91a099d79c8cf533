"""Graphs as a user meets them: training on nodes and edges, classes of all nodes, whom a node hears, and what
is wrong in a table.

Usage: test_graph.py HEED_PROGRAM
"""

import json
import tempfile
import unittest
from pathlib import Path

from program import heed

SMALL = ["--d-model", 16, "--num-heads", 2, "--dropout", 0.1, "--attention-dropout", 0, "--epochs", 120,
         "--lr", 0.02, "--patience", 0, "--threads", 1]
SIZE = 24


def nodes():
    """Two circles of nodes, each a class; one node in three has a word of its class."""
    lines = ["node\tlabel\tsplit\twords\tage"]
    for i in range(2 * SIZE):
        part = ["train", "valid", "test", "test", "test", "test"][i % 6]
        word = f" topic{i // SIZE}" if i % 3 == 0 else ""
        lines.append(f"n{i}\tclass{i // SIZE}\t{part}\tw{i}{word}\t{i % 7}")
    return "\n".join(lines) + "\n"


def edges():
    lines = ["source\ttarget"]
    for i in range(2 * SIZE):
        lines.append(f"n{i}\tn{i // SIZE * SIZE + (i + 1) % SIZE}")
    return "\n".join(lines) + "\n"


class Graphs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-graph-"))
        cls.nodes = cls.folder / "nodes.tsv"
        cls.nodes.write_text(nodes())
        cls.edges = cls.folder / "edges.tsv"
        cls.edges.write_text(edges())
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "graph", "--train", cls.nodes, "--edges", cls.edges, "--out",
                           cls.model, *SMALL, code=0)

    def refused(self, node_text, edge_text, code=65):
        bad_nodes, bad_edges = self.folder / "bad_nodes.tsv", self.folder / "bad_edges.tsv"
        bad_nodes.write_text(node_text)
        bad_edges.write_text(edge_text)
        return heed("train", "graph", "--train", bad_nodes, "--edges", bad_edges, "--out",
                    self.folder / "no", *SMALL, code=code).stderr

    def test_baselines_stand_beside_the_model(self):
        for name in ["this model", "features alone", "edges alone", "8 nodes train, 8 validate"]:
            self.assertIn(name, self.trained.stderr)

    def test_weights_decay_as_the_command_says(self):
        def decay(*arguments):
            model = self.folder / "decay"
            heed("train", "graph", "--train", self.nodes, "--edges", self.edges, "--out", model,
                 "--overwrite", *SMALL, "--epochs", 1, *arguments, code=0)
            summary = json.loads((self.folder / "decay.run" / "summary.json").read_text())
            return float(summary["settings"]["weight_decay"])
        self.assertEqual(decay(), 5e-4)  # of its own optimizer, which is Adam
        self.assertEqual(decay("--optimizer", "adam"), 5e-4)
        self.assertEqual(decay("--optimizer", "sgd"), 0)

    def test_evaluation(self):
        def scores(*arguments):
            return json.loads(heed("eval", self.model, self.nodes, "--edges", self.edges, "--json",
                                   *arguments, code=0).stdout)
        test = scores()
        self.assertEqual(test["examples"], 32)
        self.assertGreater(test["accuracy"], 0.9)
        self.assertEqual(test["baselines"]["edges alone"]["accuracy"], 1)
        self.assertEqual(scores("--nodes-of", "all")["examples"], 48)
        self.assertEqual(scores("--nodes-of", "train")["examples"], 8)
        without = json.loads(heed("eval", self.model, self.nodes, "--json", code=0).stdout)
        self.assertEqual(without["examples"], 32)

    def test_classes_of_all_nodes(self):
        answers = heed("predict", self.model, self.nodes, "--edges", self.edges, code=0).stdout
        lines = [line.split("\t") for line in answers.splitlines()]
        self.assertEqual([line[0] for line in lines], [f"n{i}" for i in range(2 * SIZE)])
        right = sum(line[1] == f"class{i // SIZE}" for i, line in enumerate(lines))
        self.assertGreater(right, 44)
        new = heed("predict", self.model, "-", "--json", text="node\twords\tage\nx\ttopic1\t\n",
                   code=0)
        self.assertEqual(json.loads(new.stdout)["label"], "class1")

    def test_whom_a_node_hears(self):
        view = json.loads(heed("attend", self.model, "n1", "--nodes", self.nodes, "--edges",
                               self.edges, "--json", code=0).stdout)
        self.assertEqual(view["keys"], ["n0", "n1", "n2"])
        for layer in view["attention"]:
            self.assertAlmostEqual(sum(layer["weights"][0]), 1, 5)
        star = self.folder / "star.svg"
        heed("attend", self.model, "n1", "--nodes", self.nodes, "--edges", self.edges, "--out", star, code=0)
        self.assertIn("<svg", star.read_text())
        heed("attend", self.model, "n1", code=2)
        heed("attend", self.model, "n99", "--nodes", self.nodes, code=65)
        self.assertIn("num_features", heed("inspect", self.model, code=0).stdout)

    def test_other_scores_and_a_drawn_split(self):
        table = self.folder / "unsplit.tsv"
        table.write_text("\n".join("\t".join(line.split("\t")[:2] + line.split("\t")[3:])
                                   for line in nodes().splitlines()) + "\n")
        sampled = heed("train", "graph", "--train", self.nodes, "--edges", self.edges, "--out",
                       self.folder / "sampled", *SMALL, "--num-neighbors", 2, "--batch-size", 4, code=0)
        self.assertIn("this model", sampled.stderr)
        for score in ["gatv2", "scaled_dot"]:
            result = heed("train", "graph", "--train", table, "--edges", self.edges, "--out",
                          self.folder / score, "--score", score, "--directed", "true", *SMALL,
                          "--epochs", 5, code=0)
            self.assertIn("28 nodes train, 10 validate, 10 test", result.stderr)

    def test_the_columns_of_training_are_remembered(self):
        def table(name, header):
            (self.folder / name).write_text(nodes().replace("node\tlabel\tsplit", header, 1))
            return self.folder / name

        named = table("named.tsv", "key\tkind\tuse")
        chosen = ["--node-column", "key", "--split-column", "use"]
        model, graph = self.folder / "named", ["--edges", self.edges]
        heed("train", "graph", "--train", named, *graph, "--out", model, *SMALL, "--epochs", 5, *chosen,
             "--label-column", "kind", code=0)
        self.assertEqual(json.loads((model / "config.json").read_text())["data_columns"],
                         {"node": "key", "label": "kind", "split": "use"})
        scores = heed("eval", model, named, *graph, "--json", code=0).stdout
        self.assertEqual(json.loads(scores)["examples"], 32)  # those that test
        self.assertEqual(scores, heed("eval", model, named, *graph, "--json", *chosen, "--label-column",
                                      "kind", code=0).stdout)
        answers = heed("predict", model, named, *graph, code=0).stdout.splitlines()
        self.assertEqual([line.split("\t")[0] for line in answers], [f"n{i}" for i in range(2 * SIZE)])
        self.assertIn("is none of the model's", heed("eval", model, named, *graph, "--label-column", "words",
                                                     code=65).stderr)  # an option wins
        lost = heed("eval", model, table("lost.tsv", "who\tkind\tuse"), *graph, code=2).stderr
        self.assertIn('no column "key", which the model was trained with', lost)
        self.assertIn("--node-column", lost)
        unlabelled = table("unlabelled.tsv", "key\tage2\tuse")
        self.assertIn('no column "kind"', heed("eval", model, unlabelled, *graph, code=2).stderr)
        self.assertEqual(answers, heed("predict", model, unlabelled, *graph, code=0).stdout.splitlines())
        links = self.folder / "named_links"
        heed("train", "links", "--train", named, *graph, "--out", links, *SMALL, "--epochs", 2, *chosen, code=0)
        heed("eval", links, self.edges, "--nodes", named, *graph, code=0)

    def test_errors_are_listed(self):
        weak, wrong = self.folder / "weak", self.folder / "wrong.tsv"
        graph = ["--edges", self.edges]
        heed("train", "graph", "--train", self.nodes, *graph, "--out", weak, *SMALL, "--epochs", 1, "--lr", 1e-6,
             "--class-weight", "balanced", code=0)
        scores = json.loads(heed("eval", weak, self.nodes, *graph, "--nodes-of", "all", "--json", "--errors", wrong,
                                 code=0).stdout)
        header, *rows = [line.split("\t") for line in wrong.read_text().splitlines()]
        self.assertEqual(header, ["where", "expected", "predicted", "probability"])
        self.assertEqual(len(rows), round(48 * (1 - scores["accuracy"])))
        self.assertGreater(len(rows), 0)
        answers = dict(line.split("\t")[:2]
                       for line in heed("predict", weak, self.nodes, *graph, code=0).stdout.splitlines())
        for node, expected, predicted, _ in rows:
            self.assertEqual(expected, f"class{int(node[1:]) // SIZE}")
            self.assertEqual(predicted, answers[node])
            self.assertNotEqual(expected, predicted)
        probabilities = [float(row[3]) for row in rows]
        self.assertEqual(probabilities, sorted(probabilities, reverse=True))
        self.assertIn("--class-weight", heed("train", "graph", "--train", self.nodes, *graph, "--out",
                                             self.folder / "no", *SMALL, "--class-weight", "heavy",
                                             code=2).stderr)

    def test_links(self):
        links, pairs = self.folder / "links", self.folder / "pairs.tsv"
        graph = ["--nodes", self.nodes, "--edges", self.edges]
        result = heed("train", "links", "--train", self.nodes, "--edges", self.edges, "--out", links,
                      "--vector-size", 8, "--valid-share", 0.1, *SMALL, code=0)
        for said in ["38 edges train, 5 validate, 5 test", "this model", "common neighbours", "adamic adar",
                     "features alone"]:
            self.assertIn(said, result.stderr)
        pairs.write_text("source\ttarget\nn1\tn2\nn1\tn30\n")
        lines = [line.split("\t") for line in heed("predict", links, pairs, *graph, code=0).stdout.splitlines()]
        self.assertEqual([line[:2] for line in lines], [["n1", "n2"], ["n1", "n30"]])
        self.assertGreater(float(lines[0][2]), float(lines[1][2]))
        scores = json.loads(heed("eval", links, self.edges, *graph, "--json", code=0).stdout)
        self.assertEqual(scores["pairs"], 96)
        self.assertGreater(scores["auc"], 0.8)
        self.assertIn("adamic adar", scores["baselines"])
        view = json.loads(heed("attend", links, "n1", *graph, "--json", code=0).stdout)
        self.assertEqual(view["keys"], ["n0", "n1", "n2"])
        self.assertIn("num_features", heed("inspect", links, code=0).stdout)
        heed("predict", links, pairs, code=2)
        pairs.write_text("n1\tn2\nn1\tn99\n")
        refused = heed("predict", links, pairs, *graph, code=65)
        self.assertIn("pairs.tsv:2", refused.stderr)
        self.assertIn("n99", refused.stderr)
        self.assertEqual(len(refused.stdout.splitlines()), 1)  # the other is answered
        heed("eval", links, pairs, *graph, code=65)
        report = heed("doctor", links, self.edges, *graph)
        self.assertIn("heed attend shows those of a node", report.stdout)
        kept = heed("predict", links, pairs, *graph, "--skip-bad", code=0)
        self.assertEqual(len(kept.stdout.splitlines()), 1)
        self.assertIn("1 rows left out", kept.stderr)
        bad = self.folder / "bad_links.tsv"
        bad.write_text(edges() + "n1\tn99\n")
        train = ["train", "links", "--train", self.nodes, "--edges", bad, "--out", self.folder / "bad_links", *SMALL,
                 "--epochs", 2]
        self.assertIn(f"bad_links.tsv:{2 * SIZE + 2}", heed(*train, code=65).stderr)
        self.assertFalse((self.folder / "bad_links").exists())
        self.assertIn("1 rows left out", heed(*train, "--skip-bad", code=0).stderr)
        few = self.folder / "few.tsv"
        few.write_text("n1\tn2\n")
        heed("train", "links", "--train", self.nodes, "--edges", few, "--out", self.folder / "no", *SMALL, code=65)

    def test_refusals(self):
        lines = nodes().splitlines()
        for bad, what in [("n3\tclass0\ttest\tw\tinf", "finite number"),
                          ("n3\tclass0\tlater\tw\t1", "train, valid, test"),
                          ("n1\tclass0\ttest\tw\t1", "second time"),
                          ("n3\t\ttrain\tw\t1", "expected a class"),
                          ("\tclass0\ttest\tw\t1", "expected a node"),
                          ("n3\tclass0", "columns")]:
            text = "\n".join(lines[:4] + [bad] + lines[5:]) + "\n"
            if "inf" in bad:  # among numbers; a column with a word is one of words
                model_reads = heed("eval", self.model, "-", text=text, code=65).stderr
                self.assertIn("standard input:5", model_reads)
                self.assertIn(what, model_reads)
                continue
            errors = self.refused(text, edges())
            self.assertIn("bad_nodes.tsv:5", errors)
            self.assertIn(what, errors)
        errors = self.refused(nodes(), edges() + "n1\tn99\n")
        self.assertIn(f"bad_edges.tsv:{2 * SIZE + 2}", errors)
        self.assertIn("n99", errors)
        self.assertIn("nodes that validate", self.refused(nodes().replace("valid", "test"), edges()))
        self.assertFalse((self.folder / "no").exists())
        bad = self.folder / "half.tsv"
        bad.write_text(edges() + "n1\tn99\nn1\tn2\n")
        result = heed("eval", self.model, self.nodes, "--edges", bad, "--skip-bad", code=0)
        self.assertIn("1 rows left out", result.stderr)
        self.assertIn("1 edges are there again", result.stderr)
        heed("eval", self.model, self.nodes, "--edges", self.folder / "none.tsv", code=66)
        nodes_too = self.folder / "half_nodes.tsv"
        lines[4] = "n3\tclass0\ttest\tw\tinf"
        nodes_too.write_text("\n".join(lines) + "\n")
        result = heed("predict", self.model, nodes_too, "--edges", bad, code=65)
        self.assertEqual([line.split("\t")[0] for line in result.stdout.splitlines()],
                         [f"n{i}" for i in range(2 * SIZE) if i != 3])
        for what in ("half_nodes.tsv:5: column 5", f"half.tsv:{2 * SIZE + 2}: an edge to node \"n99\"",
                     "2 inputs could not be answered"):
            self.assertIn(what, result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
