"""Groups of rows that get a score: a site at a wave, whole or by service area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.responses.model import Responses, SourceTable

Group = tuple[str, str, str]  # site, wave, service area (empty: all areas)
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Nesting:
    """Where groups, clusters, and units begin among the rows of a table, each nested in the one before.

    Attributes
    ----------
    table : SourceTable
        The rows, sorted so that groups, clusters and units are contiguous.
    group : ndarray of int, shape (g,)
        Position in the common list of groups, of each group that this table has.
    group_rows, cluster_rows, unit_rows : ndarray of int
        The row at which each group, cluster, unit begins.
    group_units, cluster_units : ndarray of int
        The unit at which each group and cluster begins.
    group_clusters : ndarray of int
        The cluster at which each group begins.
    clustered : bool
        Whether any cluster has a name.
    unnamed : int
        Units whose cluster has no name; each counts as a cluster of its own.
    collapsed : bool
        Whether units have several rows (double ratings).
    """

    table: SourceTable
    group: Index
    group_rows: Index
    cluster_rows: Index
    unit_rows: Index
    group_units: Index
    cluster_units: Index
    group_clusters: Index
    clustered: bool
    unnamed: int
    collapsed: bool

    def units_of_groups(self) -> Index:
        """Return the number of units in each group."""
        return np.diff(np.append(self.group_units, len(self.unit_rows)))

    def ratings_of_units(self) -> Index:
        """Return the number of rows of each unit."""
        return np.diff(np.append(self.unit_rows, self.table.n))


def groups_of(responses: Responses, *, by_area: bool) -> tuple[Group, ...]:
    """Return every group that has a row in any source, sorted; by area only where areas are named."""
    found: set[Group] = set()
    for table in responses.tables.values():
        found |= {_group(table, row, by_area=by_area) for row in _first_rows(table, by_area=by_area)}
    return tuple(sorted(group for group in found if group[2] or not by_area))


def _first_rows(table: SourceTable, *, by_area: bool) -> Index:
    """Return where the groups of a table in canonical order begin."""
    keys = [table.site, table.wave, *([table.service_area] if by_area else [])]
    return np.flatnonzero(begins([key.codes for key in keys], table.n))


def _group(table: SourceTable, row: np.intp, *, by_area: bool) -> Group:
    keys = (table.site, table.wave, table.service_area)
    site, wave, area = (key.labels[key.codes[row]] for key in keys)
    return site, wave, area if by_area else ""


def nesting(table: SourceTable, groups: Mapping[Group, int], *, by_area: bool) -> Nesting:
    """Return where the groups of a table begin; rows outside every group are left out."""
    table = _sorted(table, by_area=by_area)
    group_rows = _first_rows(table, by_area=by_area)
    new_group = np.zeros(table.n, dtype=bool)
    new_group[group_rows] = True
    named = np.array([bool(label) for label in table.cluster.labels])[table.cluster.codes]
    new_unit = new_group | begins([table.service_area.codes, table.cluster.codes, table.unit.codes], table.n)
    new_cluster = new_group | begins([table.cluster.codes], table.n) | (new_unit & ~named)
    unit_rows, cluster_rows = np.flatnonzero(new_unit), np.flatnonzero(new_cluster)
    names = [groups[_group(table, row, by_area=by_area)] for row in group_rows]
    return Nesting(
        table=table,
        group=np.array(names, dtype=np.intp),
        group_rows=group_rows,
        cluster_rows=cluster_rows,
        unit_rows=unit_rows,
        group_units=np.searchsorted(unit_rows, group_rows),
        cluster_units=np.searchsorted(unit_rows, cluster_rows),
        group_clusters=np.searchsorted(cluster_rows, group_rows),
        clustered=bool(named.any()),
        unnamed=int((new_unit & ~named).sum()),
        collapsed=len(unit_rows) < table.n,
    )


def begins(keys: list[NDArray[np.int32]], n: int) -> NDArray[np.bool_]:
    """Return where any key differs from the row before; the first row begins something."""
    new = np.zeros(n, dtype=bool)
    new[:1] = True
    for codes in keys:
        new[1:] |= codes[1:] != codes[:-1]
    return new


def _sorted(table: SourceTable, *, by_area: bool) -> SourceTable:
    """Return the rows in an order in which the groups are contiguous."""
    areas = table.service_area
    if by_area:
        named = np.array([bool(label) for label in areas.labels])[areas.codes]
        return table if named.all() else table.take(np.flatnonzero(named))
    if len(np.unique(areas.codes)) == 1:
        return table
    order = [key.codes for key in (table.site, table.wave, table.cluster, table.service_area, table.unit, table.rater)]
    return table.take(np.lexsort(order[::-1]))
