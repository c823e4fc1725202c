"""The GPT of docs/gpt.ts in PyTorch: `python3 gpt_torch.py FILE JSON`.

JSON holds the codes of the text, and for each step where its windows begin. Writes the weights before the first step, below
`state`, and the loss of each step.
"""

import json
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
from torch_round_trip import write

CONTEXT, WIDTH, HEADS, DEPTH = 16, 48, 4, 2


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        seen = self.norm1(x)
        hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        x = x + self.attention(seen, seen, seen, attn_mask=hidden, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Gpt(nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.tokens = nn.Embedding(letters, WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, letters, bias=False)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.tokens(x) + self.positions(torch.arange(x.shape[1])))))


def main(file, facts):
    given = json.loads(pathlib.Path(facts).read_text())
    codes = torch.tensor(given["codes"])
    torch.manual_seed(3)
    torch.set_num_threads(1)
    model = Gpt(int(codes.max()) + 1)
    result = {f"state/{name}": value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    losses = []
    for windows in given["windows"]:
        x, target = (torch.stack([codes[at + k : at + k + CONTEXT] for at in windows]) for k in (0, 1))
        loss = nn.functional.cross_entropy(model(x).flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    write(file, {**result, "losses": torch.tensor(losses)})


main(*sys.argv[1:])
