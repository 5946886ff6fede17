"""Graph layers of AASIST (Jung et al. 2022, sections 3.2 to 3.4): attention, heterogeneous attention, pooling.

Nodes are `[B, N, D]`. Attribute names are the key names of the published checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_DROPOUT = 0.2
POOL_DROPOUT = 0.3


class GraphAttention(nn.Module):
    """Every node attends to every node of its graph: `[B, N, D]` -> `[B, N, E]`."""

    def __init__(self, inputs: int, outputs: int, temperature: float) -> None:
        super().__init__()
        self._temperature = temperature
        self.att_proj = nn.Linear(inputs, outputs)
        self.att_weight = _attention_weight(outputs)
        self.proj_with_att = nn.Linear(inputs, outputs)
        self.proj_without_att = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm1d(outputs)
        self.input_drop = nn.Dropout(INPUT_DROPOUT)

    def forward(self, nodes: Tensor) -> Tensor:
        nodes = self.input_drop(nodes)
        energy = (_pair_energy(nodes, self.att_proj) @ self.att_weight).squeeze(-1)
        attention = (energy / self._temperature).softmax(dim=2)
        outputs = self.proj_with_att(attention @ nodes) + self.proj_without_att(nodes)
        return F.selu(_normalize(outputs, self.bn))


class HeterogeneousAttention(nn.Module):
    """Two graphs attend to themselves and to each other; a master node gathers both.

    `[B, N1, D]`, `[B, N2, D]`, master `[1 or B, 1, D]` -> the same three with E features.
    """

    def __init__(self, inputs: int, outputs: int, temperature: float) -> None:
        super().__init__()
        self._temperature = temperature
        self.proj_type1 = nn.Linear(inputs, inputs)
        self.proj_type2 = nn.Linear(inputs, inputs)
        self.att_proj = nn.Linear(inputs, outputs)
        self.att_projM = nn.Linear(inputs, outputs)
        self.att_weight11 = _attention_weight(outputs)
        self.att_weight22 = _attention_weight(outputs)
        self.att_weight12 = _attention_weight(outputs)
        self.att_weightM = _attention_weight(outputs)
        self.proj_with_att = nn.Linear(inputs, outputs)
        self.proj_without_att = nn.Linear(inputs, outputs)
        self.proj_with_attM = nn.Linear(inputs, outputs)
        self.proj_without_attM = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm1d(outputs)
        self.input_drop = nn.Dropout(INPUT_DROPOUT)

    def forward(self, first: Tensor, second: Tensor, master: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        nodes = torch.cat((self.proj_type1(first), self.proj_type2(second)), dim=1)
        nodes = self.input_drop(nodes)
        attention = self._attention(nodes, first.shape[1])
        master = self._updated_master(nodes, master)
        outputs = self.proj_with_att(attention @ nodes) + self.proj_without_att(nodes)
        outputs = F.selu(_normalize(outputs, self.bn))
        return outputs[:, : first.shape[1]], outputs[:, first.shape[1] :], master

    def _attention(self, nodes: Tensor, num_first: int) -> Tensor:
        """Attention `[B, N, N]`; the weight of a pair depends on the kinds of its two nodes."""
        pairs = _pair_energy(nodes, self.att_proj)
        upper, lower = pairs[:, :num_first], pairs[:, num_first:]
        upper = torch.cat((upper[:, :, :num_first] @ self.att_weight11, upper[:, :, num_first:] @ self.att_weight12), 2)
        lower = torch.cat((lower[:, :, :num_first] @ self.att_weight12, lower[:, :, num_first:] @ self.att_weight22), 2)
        return (torch.cat((upper, lower), 1).squeeze(-1) / self._temperature).softmax(dim=2)

    def _updated_master(self, nodes: Tensor, master: Tensor) -> Tensor:
        energy = torch.tanh(self.att_projM(nodes * master)) @ self.att_weightM
        attention = (energy / self._temperature).softmax(dim=1).transpose(1, 2)
        return self.proj_with_attM(attention @ nodes) + self.proj_without_attM(master)


class GraphPool(nn.Module):
    """Keeps the share `ratio` of nodes with the highest scores, each times its score: `[B, N, D]` -> `[B, K, D]`."""

    def __init__(self, ratio: float, inputs: int) -> None:
        super().__init__()
        self._ratio = ratio
        self.proj = nn.Linear(inputs, 1)
        self.drop = nn.Dropout(POOL_DROPOUT)

    def forward(self, nodes: Tensor) -> Tensor:
        scores = torch.sigmoid(self.proj(self.drop(nodes)))
        num_nodes = max(1, int(nodes.shape[1] * self._ratio))
        top = scores.topk(num_nodes, dim=1).indices
        return (nodes * scores).gather(1, top.expand(-1, -1, nodes.shape[2]))


def _pair_energy(nodes: Tensor, projection: nn.Linear) -> Tensor:
    """`[B, N, D]` -> `[B, N, N, E]`, symmetric in the two nodes."""
    return torch.tanh(projection(nodes.unsqueeze(2) * nodes.unsqueeze(1)))


def _normalize(nodes: Tensor, norm: nn.BatchNorm1d) -> Tensor:
    return norm(nodes.flatten(0, 1)).view_as(nodes)


def _attention_weight(dimension: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(dimension, 1)))
